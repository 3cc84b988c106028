/**
 * Runs in a process of its own: imports `cellmill.config.ts` and answers with its value as JSON on fd 3. The
 * configuration is data that is cached by content, so whatever could make it differ between two readings is refused:
 * clocks, randomness, the network, and built-in modules other than path, url and util.
 */
import { writeSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'

const [configPath = '', sdkUrl = ''] = process.argv.slice(2)
const allowedBuiltins = new Set(['node:path', 'node:url', 'node:util', 'path', 'url', 'util'])
const loaded: string[] = []
const sent = { done: false }

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === '@cellmill/sdk') return { url: sdkUrl, shortCircuit: true }
    const resolved = next(specifier, context)
    const fromSdk = context.parentURL?.startsWith(new URL('.', sdkUrl).href) === true
    if (resolved.url.startsWith('node:') && !fromSdk && !allowedBuiltins.has(resolved.url)) {
      throw new Error(`the configuration cannot use '${specifier}': it is data, read once and cached by its text`)
    }
    return resolved
  },
  load(url, context, next) {
    if (url.startsWith('file:')) loaded.push(url)
    return next(url, context)
  },
})
fixWorld()

try {
  const module = (await import(pathToFileURL(configPath).href)) as { readonly default?: unknown }
  answer({ ok: true, value: toJson(await module.default, 'the configuration'), loaded })
} catch (error) {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
  answer({ ok: false, name, message, stack: stack ?? '', loaded })
}

function answer(value: unknown): void {
  if (sent.done) return
  sent.done = true
  const bytes = Buffer.from(`${JSON.stringify(value)}\n`)
  for (let at = 0; at < bytes.length;) at += writeSync(3, bytes, at)
}

function fixWorld(): void {
  const refuse = (what: string) => (): never => {
    throw new Error(`the configuration cannot use ${what}: it is data, read once and cached by its text`)
  }
  Math.random = refuse('Math.random()')
  Reflect.set(globalThis, 'fetch', refuse('fetch()'))
  Reflect.set(process, 'getBuiltinModule', refuse('process.getBuiltinModule()'))
  const RealDate = Date
  const FixedDate = new Proxy(RealDate, {
    construct: (target, args: []) =>
      args.length === 0 ? refuse('new Date()')() : (Reflect.construct(target, args) as object),
    apply: refuse('Date()'),
    get: (target, key) => (key === 'now' ? refuse('Date.now()') : (Reflect.get(target, key) as unknown)),
  })
  Reflect.set(globalThis, 'Date', FixedDate)
}

/** Plain data only; the path of the first thing that is not goes into the message. */
function toJson(value: unknown, where: string): unknown {
  if (value === undefined && where === 'the configuration') return undefined
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (Array.isArray(value)) return value.map((item, i) => toJson(item, `${where}[${i}]`))
  if (typeof value === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null)) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined)
    return Object.fromEntries(members.map(([key, member]) => [key, toJson(member, `${where}.${key}`)]))
  }
  const kind = typeof value === 'object' ? (value.constructor?.name ?? 'object') : typeof value
  throw new TypeError(`${where} is a ${kind}; the configuration holds plain values only`)
}
