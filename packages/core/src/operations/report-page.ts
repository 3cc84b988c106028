/**
 * A report snapshot as one HTML file that needs no network. Everything in it is untrusted: texts are escaped, figures go
 * in as images (an SVG in an `img` runs no script), tables as escaped text or in a sandboxed frame.
 */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { FoundSnapshot } from './find-snapshot.ts'
import { escapeHtml } from './html.ts'

export async function reportPage(found: FoundSnapshot): Promise<string> {
  const parts: string[] = []
  for (const name of orderedParts(found.files))
    parts.push(await part(name, await readFile(path.join(found.folder, name))))
  const title = escapeHtml(found.asset)
  const stamp = `${escapeHtml(found.environment)} release ${found.release}, built ${escapeHtml(found.snapshot.createdAt)}`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-src 'self' data:">
<title>${title}</title><style>${style}</style></head>
<body><header><h1>${title}</h1><p>${stamp}</p></header>
<main>${parts.join('\n')}</main></body></html>
`
}

const style = `body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1c2430;background:#fff}
header p{color:#5a6675}figure{margin:1.5rem 0}img{max-width:100%}pre{background:#f5f7f9;padding:1rem;overflow:auto;border-radius:6px}
iframe{border:1px solid #dfe4ea;width:100%;height:24rem;border-radius:6px}`

/** A figure is stored as SVG and PNG: one of them is shown. */
function orderedParts(files: readonly string[]): readonly string[] {
  const names = new Set(files)
  return [...files]
    .sort()
    .filter((name) => !(name.endsWith('.png') && names.has(name.replace(/\.png$/, '.svg'))) && !name.endsWith('.json'))
}

async function part(name: string, bytes: Buffer): Promise<string> {
  if (name.endsWith('.svg')) return figure('image/svg+xml', bytes, name)
  if (name.endsWith('.png')) return figure('image/png', bytes, name)
  if (name.endsWith('.html'))
    return `<iframe sandbox="" srcdoc="${escapeHtml(bytes.toString('utf8'))}" title="${escapeHtml(name)}"></iframe>`
  return `<pre>${escapeHtml(bytes.toString('utf8'))}</pre>`
}

function figure(mime: string, bytes: Buffer, name: string): string {
  return `<figure><img alt="${escapeHtml(name)}" src="data:${mime};base64,${bytes.toString('base64')}"></figure>`
}
