import type { BenchCase } from '../section.ts'
export const stepOverhead: BenchCase = { name: 'steps', title: 'steps', run: async () => ({ notes: [] }) }
