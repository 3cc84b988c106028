import type { BenchCase } from '../section.ts'
export const sqlPipeline: BenchCase = { name: 'sql', title: 'sql', run: async () => ({ notes: [] }) }
