/** Notebooks of every format, and everything that is not one: typed errors that say what it is. */
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert, jsonValue, property } from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CellmillError } from '../../errors.ts'
import type { NotebookDocument } from '../document.ts'
import { parseNotebook } from './parse-notebook.ts'
import { readNotebook } from './read-notebook.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cellmill-read-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function parse(value: unknown): NotebookDocument {
  return parseNotebook(typeof value === 'string' ? value : JSON.stringify(value), { path: 'n.ipynb' })
}

function refusal(act: () => unknown): CellmillError {
  try {
    act()
  } catch (error) {
    if (error instanceof CellmillError) return error
    throw error
  }
  throw new Error('it was read')
}

async function refusalOf(promise: Promise<unknown>): Promise<CellmillError> {
  const result = await promise.then(
    () => null,
    (error: unknown) => error,
  )
  if (result instanceof CellmillError) return result
  throw new Error(`no refusal: ${String(result)}`)
}

const code = (source: unknown, rest: object = {}): object => ({
  cell_type: 'code',
  metadata: {},
  source,
  outputs: [],
  execution_count: null,
  ...rest,
})

describe('formats', () => {
  it('reads format 4', () => {
    const document = parse({
      nbformat: 4,
      nbformat_minor: 5,
      metadata: {
        kernelspec: { name: 'python3', language: 'python' },
        language_info: { name: 'python', version: '3.11.7' },
      },
      cells: [
        { cell_type: 'markdown', id: 'a', source: ['# T\n', 'x'], metadata: {} },
        code(['a = 1\n', 'a'], {
          id: 'b',
          execution_count: 3,
          metadata: { tags: ['parameters', 5] },
          outputs: [
            { output_type: 'stream', name: 'stderr', text: ['w\n', 'v'] },
            { output_type: 'execute_result', data: { 'text/plain': ['1'], 'application/json': { a: [1] } } },
            { output_type: 'error', ename: 'E', evalue: 'v', traceback: ['l1', 'l2'] },
          ],
        }),
      ],
    })
    expect(document).toMatchObject({
      nbformat: 4,
      language: 'python',
      kernelName: 'python3',
      languageVersion: '3.11.7',
    })
    expect(document.cells[0]).toMatchObject({ index: 0, id: 'a', type: 'markdown', source: '# T\nx' })
    expect(document.cells[1]).toMatchObject({ source: 'a = 1\na', tags: ['parameters'], executionCount: 3 })
    expect(document.cells[1]?.outputs).toEqual([
      { type: 'stream', stream: 'stderr', data: { 'text/plain': 'w\nv' }, errorName: null, errorValue: null },
      {
        type: 'result',
        stream: null,
        data: { 'text/plain': '1', 'application/json': { a: [1] } },
        errorName: null,
        errorValue: null,
      },
      { type: 'error', stream: null, data: { 'text/plain': 'l1\nl2' }, errorName: 'E', errorValue: 'v' },
    ])
  })

  it('reads formats 2 and 3: worksheets, headings, old names of outputs', () => {
    const document = parse({
      nbformat: 3,
      metadata: { name: 'x' },
      worksheets: [
        {
          cells: [
            { cell_type: 'heading', level: 2, source: 'Title' },
            {
              cell_type: 'code',
              language: 'python',
              input: ['1'],
              prompt_number: 7,
              outputs: [
                { output_type: 'pyout', text: ['1'], png: 'AAAA' },
                { output_type: 'pyerr', ename: 'E', evalue: '', traceback: [] },
                { output_type: 'stream', stream: 'stdout', text: 'hi' },
              ],
            },
          ],
        },
        { cells: [{ cell_type: 'html', source: '<b>' }] },
      ],
    })
    expect(document.cells.map(({ type, source, index }) => [index, type, source])).toEqual([
      [0, 'markdown', '## Title'],
      [1, 'code', '1'],
      [2, 'markdown', '<b>'],
    ])
    expect(document.cells[1]?.executionCount).toBe(7)
    expect(document.cells[1]?.outputs[0]?.data).toEqual({ 'text/plain': '1', 'image/png': 'AAAA' })
    expect(document.cells[1]?.outputs.map(({ type }) => type)).toEqual(['result', 'error', 'stream'])
    expect(document.nbformat).toBe(3)
  })

  it.each([
    [{ kernelspec: { name: 'ir' } }, 'r'],
    [{ kernelspec: { name: 'julia-1.9' } }, 'julia'],
    [{ kernelspec: { name: 'deno', language: 'typescript' } }, 'typescript'],
    [{ kernelspec: { name: 'conda-env-x-py', language: '' } }, 'python'],
    [{ language_info: { name: 'R' } }, 'r'],
    [{ language_info: { name: 'ipython' } }, 'python'],
    [{}, 'python'],
    [{ kernelspec: 5, language_info: [] }, 'python'],
  ])('knows the language of %j', (metadata, language) => {
    expect(parse({ nbformat: 4, metadata, cells: [code('1')] }).language).toBe(language)
  })

  it('normalises line ends, drops a byte order mark and repeated ids', () => {
    const document = parse(
      `\uFEFF${JSON.stringify({ nbformat: 4, cells: [code('a\r\nb\rc', { id: 'x' }), code('', { id: 'x' })] })}`,
    )
    expect(document.cells[0]?.source).toBe('a\nb\nc')
    expect(document.cells.map(({ id }) => id)).toEqual(['x', null])
  })

  it('keeps hostile keys as plain data', () => {
    const text =
      '{"nbformat":4,"__proto__":{"polluted":1},"cells":[{"cell_type":"code","source":"1","outputs":[{"output_type":"display_data","data":{"__proto__":"x","constructor":"y"}}]}]}'
    const data = parse(text).cells[0]?.outputs[0]?.data ?? {}
    expect(Object.keys(data)).toEqual(['__proto__', 'constructor'])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('reads fields of wrong types as absent', () => {
    const document = parse({
      nbformat: 'x',
      cells: [
        5,
        null,
        'x',
        [],
        { cell_type: 9, source: 4, outputs: 'no' },
        code(
          { a: 1 },
          { outputs: [1, null, { output_type: 'stream' }], metadata: { tags: 'x' }, execution_count: '5' },
        ),
      ],
    })
    expect(document.cells).toHaveLength(6)
    expect(document.cells[5]).toMatchObject({ source: '', executionCount: null, tags: [] })
  })

  it('keeps lone surrogates', () => {
    expect(parse('{"nbformat":4,"cells":[{"cell_type":"code","source":"\\ud800"}]}').cells[0]?.source).toBe('\ud800')
  })

  it('never throws anything but a typed error, whatever the JSON', () => {
    assert(
      property(jsonValue({ maxDepth: 5 }), jsonValue({ maxDepth: 4 }), (cells, metadata) => {
        for (const value of [
          cells,
          { cells },
          { cells: [cells, { cell_type: 'code', source: cells, outputs: [cells] }], metadata },
          { worksheets: [cells, { cells: [metadata] }] },
        ]) {
          try {
            parse(JSON.stringify(value))
          } catch (error) {
            expect(error).toBeInstanceOf(CellmillError)
          }
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('what is not a notebook', () => {
  it.each([
    ['', /is empty/],
    ['  \n ', /is empty/],
    ['{"a": 1,}', /not valid JSON: line 1, column 9/],
    ['{\n  "cells": [\n    tru\n  ]\n}', /line 3/],
    ['{"cells": [{"cell_type": "code", "sour', /ends in the middle/],
    ['[1, 2]', /an array where a notebook has an object/],
    ['"text"', /a string/],
    ['null', /null/],
    ['{"name": "x", "version": "1"}', /no list of cells \(its keys: name, version\)/],
    ['{"nbformat": 4, "cells": []}', /has no cells/],
    ['{"nbformat": 7, "cells": [1]}', /format 7/],
    ['<!DOCTYPE html><html>', /web page/],
    ['import pandas as pd\n', /script/],
    ['version https://git-lfs.github.com/spec/v1\noid x', /Git LFS/],
    ['{\n<<<<<<< HEAD\n "cells": []\n=======\n>>>>>>> x\n}', /merge conflict/],
  ])('says what %j is', (text, what) => {
    const error = refusal(() => parse(text))
    expect(error.code).toBe('NOTEBOOK_UNREADABLE')
    expect(error.message).toMatch(what)
    expect(error.hint).toBeTruthy()
  })

  it('refuses nesting of a million levels', () => {
    expect(refusal(() => parse('['.repeat(1_000_000))).message).toMatch(/deep/)
    expect(refusal(() => parse(`{"cells":[{"outputs":${'[{"a":'.repeat(100_000)}`)).message).toMatch(/deep/)
  })
})

describe('files', () => {
  const write = (name: string, content: string | Uint8Array): string => {
    const path = join(folder, name)
    writeFileSync(path, content)
    return path
  }
  const small = JSON.stringify({ nbformat: 4, cells: [code('a = 1')] })

  it('reads a file and its digest', async () => {
    const document = await readNotebook(write('a.ipynb', small), { displayPath: 'a.ipynb' })
    expect(document).toMatchObject({ path: 'a.ipynb', sizeBytes: small.length })
    expect(document.digest).toMatch(/^[0-9a-f]{64}$/)
  })

  it('gives the same document from a child process', async () => {
    const path = write('b.ipynb', small)
    const inline = await readNotebook(path, { displayPath: 'b.ipynb' })
    expect(await readNotebook(path, { displayPath: 'b.ipynb', inlineBytes: 0 })).toEqual(inline)
  })

  it('carries refusals over from the child', async () => {
    const error = await refusalOf(
      readNotebook(write('c.ipynb', '{"cells": [}'), { displayPath: 'c.ipynb', inlineBytes: 0 }),
    )
    expect(error.message).toMatch(/line 1, column 12/)
    expect(error.hint).toBeTruthy()
  })

  it('survives a file of millions of cells', async () => {
    const bomb = `{"nbformat":4,"cells":[${'{},'.repeat(4_000_000)}{}]}`
    const error = await refusalOf(readNotebook(write('bomb.ipynb', bomb), { displayPath: 'bomb.ipynb' }))
    expect(error.code).toBe('NOTEBOOK_UNREADABLE')
  })

  it('reads large outputs cut to their beginning', async () => {
    const output = { output_type: 'display_data', data: { 'image/png': 'A'.repeat(12_000_000) } }
    const document = await readNotebook(
      write('big.ipynb', JSON.stringify({ nbformat: 4, cells: [code('x', { outputs: [output] })] })),
      { displayPath: 'big.ipynb' },
    )
    expect(document.cells[0]?.outputs[0]).toMatchObject({ cut: true, characters: 12_000_000 })
    expect(document.cells[0]?.outputs[0]?.data['image/png']).toHaveLength(2_000_000)
  })

  it.each([
    ['UTF-16', Buffer.from(`\uFEFF${small}`, 'utf16le')],
    ['a byte order mark', Buffer.from(`\uFEFF${small}`, 'utf8')],
  ])('reads %s', async (name, bytes) => {
    expect((await readNotebook(write(`${name}.ipynb`, bytes), { displayPath: name })).cells).toHaveLength(1)
  })

  it.each([
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x80]), /not UTF-8/],
    ['gzip', Buffer.from([0x1f, 0x8b, 0x08, 0xff, 0xff]), /gzip/],
    ['zip', Buffer.from([0x50, 0x4b, 0x03, 0x04, 0xff, 0xfe]), /zip/],
  ])('refuses %s', async (name, bytes, what) => {
    expect((await refusalOf(readNotebook(write(`${name}.ipynb`, bytes), { displayPath: name }))).message).toMatch(what)
  })

  it('refuses folders, missing files and files above the limit', async () => {
    mkdirSync(join(folder, 'dir.ipynb'))
    expect((await refusalOf(readNotebook(join(folder, 'dir.ipynb'), { displayPath: 'dir.ipynb' }))).message).toMatch(
      /folder/,
    )
    expect((await refusalOf(readNotebook(join(folder, 'no.ipynb'), { displayPath: 'no.ipynb' }))).message).toMatch(
      /does not exist/,
    )
    expect(
      (await refusalOf(readNotebook(write('d.ipynb', small), { displayPath: 'd.ipynb', maxBytes: 10 }))).message,
    ).toMatch(/not read/)
  })
})
