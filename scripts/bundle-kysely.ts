/**
 * The last part of `npm run build`: puts Kysely's modules into the built form of catalog/sqlite/kysely.ts. Loading them
 * one by one costs every command that writes 150 ms. Without this the build works too.
 */
import { readFileSync, renameSync } from 'node:fs'
import path from 'node:path'
import { rolldown } from 'rolldown'

const root = path.resolve(import.meta.dirname, '..')
const built = path.join(root, 'packages/core/dist/catalog/sqlite/kysely.js')
const { version } = JSON.parse(readFileSync(path.join(root, 'node_modules/kysely/package.json'), 'utf8')) as {
  readonly version: string
}
const banner = `/* Kysely ${version}, (c) Sami Koskimäki, MIT licence: node_modules/kysely/LICENSE */`
if (!readFileSync(built, 'utf8').startsWith(banner)) {
  const bundle = await rolldown({
    input: path.join(root, 'packages/core/src/catalog/sqlite/kysely.ts'),
    platform: 'node',
  })
  // Another process may be loading it: the name gets the new file at once.
  const draft = `${built}.${process.pid}`
  await bundle.write({ file: draft, format: 'esm', minify: false, postBanner: banner })
  await bundle.close()
  renameSync(draft, built)
}
