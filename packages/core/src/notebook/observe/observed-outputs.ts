/**
 * What a cell showed as comparable values, for stored and for fresh outputs alike. One output per thing shown, by the
 * richest form of it; a figure by its artist tree, never by its pixels. Texts between two displays are one text.
 */
import { canonicalJson, sha256, type Json } from '../../canonical.ts'
import type { NotebookOutput } from '../document.ts'
import type { ObservedOutput } from '../observation.ts'
import { normaliseText } from './normalise-text.ts'

/** Set by `observe_display.py` on displays of figures. */
const figureMetadata = 'cellmill'
const previewBytes = 4_096

export type ShownOutput = NotebookOutput & { readonly metadata?: Readonly<Record<string, Json>> }

export function observedOutputs(
  outputs: readonly ShownOutput[],
  places: Readonly<Record<string, string>> = {},
): readonly ObservedOutput[] {
  return joinStreams(outputs).map((output) => {
    if (output.type === 'stream') {
      return textOutput(
        output.stream === 'stderr' ? 'stderr' : 'stdout',
        'text/plain',
        textAt(output, 'text/plain'),
        places,
      )
    }
    if (output.type === 'error') return errorOutput(output)
    return displayOutput(output, places)
  })
}

/** stderr is one text; stdout is one text up to the next display. */
function joinStreams(outputs: readonly ShownOutput[]): readonly ShownOutput[] {
  const joined: ShownOutput[] = []
  let out: string[] = []
  const errors: string[] = []
  const flush = (): void => {
    if (out.length > 0) joined.push(streamOf('stdout', out.join('')))
    out = []
  }
  for (const output of outputs) {
    if (output.type !== 'stream') {
      flush()
      joined.push(output)
    } else if (output.stream === 'stderr') errors.push(textAt(output, 'text/plain'))
    else out.push(textAt(output, 'text/plain'))
  }
  flush()
  if (errors.length > 0) joined.push(streamOf('stderr', errors.join('')))
  return joined
}

function streamOf(stream: string, text: string): ShownOutput {
  return { type: 'stream', stream, data: { 'text/plain': text }, errorName: null, errorValue: null }
}

function displayOutput(output: ShownOutput, places: Readonly<Record<string, string>>): ObservedOutput {
  const figure = figureOf(output)
  if (figure !== null) return figure
  const mimes = Object.keys(output.data)
  const html = mimes.find((mime) => mime === 'text/html')
  const image = mimes.find((mime) => mime.startsWith('image/'))
  const json = mimes.find((mime) => mime === 'application/json' || mime.endsWith('+json'))
  if (html !== undefined) return textOutput('html', html, textAt(output, html), places)
  if (json !== undefined) return jsonOutput(json, output.data[json] ?? null)
  if (image === 'image/svg+xml') return textOutput('image', image, textAt(output, image), places)
  if (image !== undefined) {
    const bytes = textAt(output, image).replace(/\s+/g, '')
    return { kind: 'image', mime: image, digest: sha256(bytes), preview: `${image}, ${bytes.length} characters` }
  }
  const first = mimes.includes('text/plain') ? 'text/plain' : (mimes[0] ?? 'text/plain')
  return textOutput(first === 'text/plain' ? 'text' : 'other', first, textAt(output, first), places)
}

function figureOf(output: ShownOutput): ObservedOutput | null {
  const found = output.metadata?.[figureMetadata]
  if (typeof found !== 'object' || found === null || Array.isArray(found)) return null
  const { figure, axes, problem } = found as Readonly<Record<string, Json>>
  const preview = typeof axes === 'number' ? `figure with ${axes} axes` : 'figure'
  if (typeof figure === 'string') return { kind: 'figure', mime: 'image/png', digest: figure, preview }
  return { kind: 'figure', mime: 'image/png', digest: '', preview, problem: typeof problem === 'string' ? problem : '' }
}

function textOutput(
  kind: ObservedOutput['kind'],
  mime: string,
  text: string,
  places: Readonly<Record<string, string>>,
): ObservedOutput {
  const normalised = normaliseText(text, places, kind === 'html' || kind === 'image')
  const excluded = normalised.excluded.length === 0 ? {} : { excluded: normalised.excluded }
  return { kind, mime, digest: sha256(normalised.text), preview: cut(normalised.text), ...excluded }
}

function jsonOutput(mime: string, value: Json): ObservedOutput {
  const text = normaliseText(canonicalJson(value), {}, true)
  const excluded = text.excluded.length === 0 ? {} : { excluded: text.excluded }
  return { kind: 'json', mime, digest: sha256(text.text), preview: cut(text.text), ...excluded }
}

/** An expected error is compared by its type: messages name addresses, paths and versions. */
function errorOutput(output: ShownOutput): ObservedOutput {
  const name = output.errorName ?? ''
  return {
    kind: 'error',
    mime: 'text/plain',
    digest: sha256(name),
    preview: cut(`${name}: ${output.errorValue ?? ''}`),
  }
}

function textAt(output: ShownOutput, mime: string): string {
  const value = output.data[mime]
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.filter((part) => typeof part === 'string').join('')
  return value === undefined ? '' : JSON.stringify(value)
}

function cut(text: string): string {
  return text.length <= previewBytes ? text : `${text.slice(0, previewBytes)}…`
}
