/** Preloaded into a measured Node process: leaves its peak memory, in bytes, in a file when it ends. */
import { writeFileSync } from 'node:fs'

const file = process.env.BENCH_MEMORY_FILE
delete process.env.NODE_OPTIONS
process.on('exit', () => writeFileSync(file, String(process.resourceUsage().maxRSS * 1024)))
