import type { BenchCase } from '../section.ts'
export const proof: BenchCase = { name: 'proof', title: 'proof', run: async () => ({ notes: [] }) }
