import { wideFiles } from './workloads/wide-project.ts'
import { enterResults, checkPlan } from './workloads/enter-results.ts'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
const root=process.argv[2]!
for (const [n,t] of Object.entries(wideFiles(Number(process.argv[3]!)))) { mkdirSync(path.dirname(path.join(root,n)),{recursive:true}); writeFileSync(path.join(root,n),t) }
await enterResults(root)
await checkPlan(root, 0)
