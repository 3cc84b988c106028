import type { BenchCase } from '../section.ts'
export const frames: BenchCase = { name: 'frames', title: 'frames', run: async () => ({ notes: [] }) }
