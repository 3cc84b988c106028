import type { BenchCase } from '../section.ts'
export const rollback: BenchCase = { name: 'rollback', title: 'rollback', run: async () => ({ notes: [] }) }
