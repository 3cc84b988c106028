/** What tests of Python's runtimes start from: the tests' environment, one step, and its work. */
import { realpathSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { defaultOptions } from '../../../model/default-options.ts'
import type { StepDefinition } from '../../../model/project.ts'
import type { PythonEnvironment } from '../../../packages/python-environment.ts'
import type { StepWork } from '../../runtime.ts'

const venv = fileURLToPath(new URL('../../../../../../.venv', import.meta.url))

export const testEnvironment: PythonEnvironment = {
  python: `${venv}/bin/python`,
  prefix: venv,
  basePrefix: path.dirname(path.dirname(realpathSync(`${venv}/bin/python`))),
  sitePackages: `${venv}/lib/python3.11/site-packages`,
  version: '3.11.7',
  platform: 'linux-x86_64',
  distributions: [],
  lockDigest: '',
}

const file = 'assets/a.py'

export function pythonStep(patch: Partial<StepDefinition> = {}): StepDefinition {
  return {
    id: 'made',
    kind: 'asset',
    language: 'python',
    place: { file, line: 1, column: 1, length: 1, lineText: '' },
    file,
    symbol: 'made',
    inputs: [],
    outputs: [{ asset: 'made', output: '', kind: 'table', kindDeclared: false }],
    parameters: [],
    options: defaultOptions,
    description: '',
    check: null,
    ...patch,
  }
}

export interface WorkPlace {
  readonly projectRoot: string
  /** Of the attempt. */
  readonly folder: string
}

export function pythonWork(definition: StepDefinition, place: WorkPlace, patch: Partial<StepWork> = {}): StepWork {
  return {
    definition,
    runId: 'r',
    attempt: 1,
    inputs: [],
    parameters: {},
    projectParameters: {},
    projectParameterTypes: {},
    runTime: '2024-01-01T00:00:00.000Z',
    seed: 's',
    randomState: null,
    codeFiles: [file],
    idempotencyKey: 'key-1',
    secrets: {},
    strict: false,
    ...place,
    ...patch,
  }
}
