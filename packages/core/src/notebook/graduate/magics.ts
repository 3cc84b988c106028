/**
 * What becomes of IPython syntax in a pipeline. What is not in these tables is refused with its reason: a magic that we
 * do not know may bind names, run code or change the process.
 */
import type { Magic } from '../ir.ts'
import type { Refusal } from '../graduation.ts'

export interface MagicVerdict {
  /** `keep`: the statement is Python that stays; `drop`: nothing of it stays. */
  readonly action: 'keep' | 'drop' | 'refuse'
  readonly why: string
  readonly installs: readonly string[]
  readonly refusal: Omit<Refusal, 'cell'> | null
}

const DISPLAY_MAGICS: ReadonlySet<string> = new Set([
  'matplotlib',
  'config',
  'autoreload',
  'precision',
  'pprint',
  'xmode',
  'colors',
  'who',
  'whos',
  'who_ls',
  'lsmagic',
  'pwd',
  'ls',
  'll',
  'pdoc',
  'pinfo',
  'psource',
  'quickref',
  'watermark',
  'memit',
  'timeit',
  'lprun',
  'mprun',
  'html',
  'HTML',
  'markdown',
  'latex',
  'svg',
  'javascript',
  'js',
  'blackcellmagic',
  'lab_black',
  'nb_black',
])
const BODY_MAGICS: ReadonlySet<string> = new Set(['time', 'prun', 'capture', 'debug'])
const DISPLAY_EXTENSIONS =
  /^(autoreload|lab_black|nb_black|blackcellmagic|memory_profiler|line_profiler|watermark|jupyter_black|tensorboard)$/u
const LOOKING_COMMANDS: ReadonlySet<string> = new Set([
  'ls',
  'pwd',
  'head',
  'tail',
  'cat',
  'echo',
  'which',
  'du',
  'df',
  'free',
  'wc',
  'nvidia-smi',
  'lscpu',
  'date',
  'whoami',
  'hostname',
  'uname',
  'tree',
  'file',
  'clear',
])

export function magicRole(magic: Magic): MagicVerdict {
  if (magic.kind === 'help') return dropped('help is only shown')
  if (magic.assignedTo !== null && !(magic.kind === 'line' && magic.name === 'time')) {
    return refused(
      magic.kind === 'shell' ? 'N16' : 'N15',
      `${sign(magic)} gives a value that a pipeline cannot make again; read it in Python`,
    )
  }
  if (magic.kind === 'shell') return shellRole(magic)
  if (magic.name === 'pip' || magic.name === 'conda' || magic.name === 'mamba')
    return installRole(magic.argument, magic)
  if (BODY_MAGICS.has(magic.name)) return { action: 'keep', why: '', installs: [], refusal: null }
  if (DISPLAY_MAGICS.has(magic.name)) return dropped(`${sign(magic)} changes only what is shown`)
  if (magic.name === 'load_ext' || magic.name === 'reload_ext') {
    if (DISPLAY_EXTENSIONS.test(magic.argument.trim())) return dropped(`${sign(magic)} changes only what is shown`)
  }
  return refused(
    magic.kind === 'cell' && /^(bash|sh|script)$/u.test(magic.name) ? 'N16' : 'N15',
    `${sign(magic)} has no counterpart in a pipeline`,
  )
}

function shellRole(magic: Magic): MagicVerdict {
  const command = magic.argument.trim()
  const install = /^(?:python3?\s+-m\s+)?(?:pip3?|conda|mamba|uv\s+pip)\s+(.*)$/u.exec(command)
  if (install !== null) return installRole(install[1] ?? '', magic)
  const isPlain = !/[>;&|`]|\$\(/u.test(command)
  if (isPlain && LOOKING_COMMANDS.has(command.split(/\s+/u)[0] ?? '')) return dropped(`!${command} only shows`)
  return refused(
    'N16',
    `!${command.slice(0, 80)} runs a program whose effects are not known; do it in Python or before the pipeline`,
  )
}

function installRole(argument: string, magic: Magic): MagicVerdict {
  const words = argument.trim().split(/\s+/u)
  if (words[0] === 'list' || words[0] === 'freeze' || words[0] === 'show' || words[0] === 'check')
    return dropped(`${sign(magic)} only shows`)
  if (words[0] !== 'install') return refused('N16', `${sign(magic)} changes the installed packages`)
  const installs: string[] = []
  for (let at = 1; at < words.length; at += 1) {
    const word = (words[at] ?? '').replaceAll(/^["']|["']$/gu, '')
    if (/^-(r|c|e|i|f|-requirement|-constraint|-editable|-index-url|-extra-index-url)$/u.test(word)) {
      return refused(
        'N16',
        `${sign(magic)} installs from a file or another index; put the packages into requirements.txt`,
      )
    }
    if (word === '#') break
    if (word === '' || word.startsWith('-')) continue
    if (!/^[A-Za-z0-9][\w.-]*(\[[\w,.-]+\])?([<>=!~]=?[\w.*,<>=!~-]+)?$/u.test(word)) {
      return refused('N16', `${sign(magic)} installs ${word}, which is not a package of an index`)
    }
    installs.push(word)
  }
  return { action: 'drop', why: 'its packages are in requirements.txt', installs, refusal: null }
}

function sign(magic: Magic): string {
  const mark = magic.kind === 'shell' ? '!' : magic.kind === 'cell' ? '%%' : '%'
  return `${mark}${magic.kind === 'shell' ? magic.argument.slice(0, 60) : magic.name}`
}

function dropped(why: string): MagicVerdict {
  return { action: 'drop', why, installs: [], refusal: null }
}

function refused(code: string, message: string): MagicVerdict {
  return { action: 'refuse', why: '', installs: [], refusal: { code, message } }
}
