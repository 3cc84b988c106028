/** N28, N29: random numbers without a seed, or with one generator shared by cells. */
import type { Finding } from '../../finding.ts'
import { cellsListed, finding, groupBy, lineText, type AuditContext, type Rule } from '../audit-context.ts'
import { isDraw, isSeed, tokensOf, type PlacedToken } from '../token-flow.ts'

export const randomRules: readonly Rule[] = [
  { codes: ['N28'], needs: 'facts', find: unseeded },
  { codes: ['N29'], needs: 'facts', find: (context) => [...sharedGenerator(context), ...sharedObject(context)] },
]

const GENERATORS: Readonly<Record<string, string>> = {
  'rng:np': "NumPy's global generator",
  'rng:py': "Python's global generator",
  'rng:torch': "PyTorch's global generator",
  'rng:tf': "TensorFlow's global generator",
  'rng:polars': "polars' global generator",
  'rng:entropy': 'a generator that is made without a seed',
}
const SEEDS: Readonly<Record<string, string>> = {
  'rng:np': 'np.random.seed(0)',
  'rng:py': 'random.seed(0)',
  'rng:torch': 'torch.manual_seed(0)',
  'rng:tf': 'tf.random.set_seed(0)',
  'rng:polars': 'pl.set_random_seed(0)',
}

const GENERATOR_TYPES: ReadonlySet<string> = new Set(['numpy.random.Generator', 'random.Random'])

function byGenerator(context: AuditContext, keep: (token: PlacedToken) => boolean): Map<string, PlacedToken[]> {
  return groupBy(tokensOf(context).filter(keep), ({ use }) => use.token)
}

function unseeded(context: AuditContext): readonly Finding[] {
  const seeds = byGenerator(context, isSeed)
  return [...byGenerator(context, isDraw)].flatMap(([generator, draws]) => {
    const seeded = Math.min(...(seeds.get(generator) ?? []).map(({ order }) => order), Number.POSITIVE_INFINITY)
    const early = draws.filter(({ order }) => order < seeded)
    const first = early[0]
    if (first === undefined) return []
    const through = first.through === null ? '' : ` (in \`${first.through}\`)`
    const later = seeded === Number.POSITIVE_INFINITY ? '' : ' The seed comes only afterwards.'
    return [
      finding('N28', {
        cell: first.cell,
        line: first.use.span.line,
        message: `Random numbers come from ${GENERATORS[generator] ?? generator}${through}${generator === 'rng:entropy' ? '' : ', which no cell above seeds'}: every run gives another result (${cellsListed(early.map(({ cell }) => cell))}).${later} ${generator === 'rng:entropy' ? 'Pass a seed.' : `Add \`${SEEDS[generator] ?? 'a seed'}\`, or pass \`random_state\`.`}`,
        evidence: `${lineText(context, first.cell, first.statement.facts.span)}   (${first.use.why})`,
      }),
    ]
  })
}

function sharedGenerator(context: AuditContext): readonly Finding[] {
  const seeds = byGenerator(context, isSeed)
  return [...byGenerator(context, isDraw)].flatMap(([generator, draws]) => {
    const ofGenerator = seeds.get(generator) ?? []
    // A cell that seeds for itself shares nothing; one cell alone shares with nobody.
    const sharing = draws.filter(
      (draw) =>
        ofGenerator.some(({ order }) => order <= draw.order) &&
        !ofGenerator.some(({ cell, order }) => cell === draw.cell && order <= draw.order),
    )
    const first = sharing[0]
    const cells = [...new Set(draws.map(({ cell }) => cell))]
    if (first === undefined || cells.length < 2) return []
    const seed = ofGenerator.filter(({ order }) => order <= first.order).at(-1)
    return [
      finding('N29', {
        cell: first.cell,
        line: first.use.span.line,
        message: `${GENERATORS[generator] ?? generator} is seeded in cell ${seed?.cell ?? '?'} and used in ${cellsListed(cells)}: what this cell draws depends on how much was drawn before it. Seed per cell, or use a generator of its own.`,
        evidence: lineText(context, first.cell, first.statement.facts.span),
      }),
    ]
  })
}

/** A generator object (`rng = np.random.default_rng(0)`) that several cells draw from. */
function sharedObject(context: AuditContext): readonly Finding[] {
  return [...context.flow.bindings].flatMap(([name, bindings]) => {
    const maker = bindings.find(({ statement }) =>
      (statement.facts.bindTypes[name] ?? []).some((type) => GENERATOR_TYPES.has(type)),
    )
    if (maker === undefined || bindings.length > 1) return []
    const draws = context.statements.filter(({ facts }) =>
      facts.mutations.some((mutation) => mutation.certain && mutation.name === name),
    )
    const cells = [...new Set(draws.map(({ cell }) => cell))]
    const first = draws.find(({ cell }) => cell !== cells[0])
    if (first === undefined) return []
    return [
      finding('N29', {
        cell: first.cell,
        line: first.facts.span.line,
        message: `The generator \`${name}\` of cell ${maker.cell} is used in ${cellsListed(cells)}: what this cell draws depends on how much was drawn before it.`,
        evidence: lineText(context, first.cell, first.facts.span),
      }),
    ]
  })
}
