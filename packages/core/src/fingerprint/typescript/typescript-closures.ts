/** The static part of a TypeScript step's recipe: units of code, packages and files. Pure over facts. */
import type { Closures } from '../closures.ts'
import type { TypeScriptFacts } from './facts.ts'

export function typescriptClosures(_facts: TypeScriptFacts): Closures {
  return {
    closureOf: () => ({
      units: [],
      packages: [],
      projectParameters: [],
      files: [],
      volatile: [],
      drawsRandom: false,
      diagnostics: [],
    }),
    globalDigest: () => null,
  }
}
