import type { BenchCase } from '../section.ts'
export const planTimes: BenchCase = { name: 'plan', title: 'plan', run: async () => ({ notes: [] }) }
