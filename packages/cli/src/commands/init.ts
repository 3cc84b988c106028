/** `cellmill init [FOLDER]`: ends by printing the next three commands. */
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { CellmillError } from '@cellmill/core/errors.ts'
import { nearestName } from '@cellmill/core/model/nearest.ts'
import { initProject } from '@cellmill/core/operations/init-project.ts'
import { flagOption, textArgument, textOption } from '../command.ts'
import type { CommandContext } from '../command.ts'

const templates = {
  notebook: ['cellmill audit notebooks/delays.ipynb', 'cellmill graduate notebooks/delays.ipynb', 'cellmill run'],
  sql: ['cellmill plan', 'cellmill run', 'cellmill show revenue'],
  python: ['cellmill packages lock && cellmill packages sync', 'cellmill run', 'cellmill show revenue'],
  typescript: ['cellmill plan', 'cellmill run', 'cellmill show revenue'],
} as const
type Template = keyof typeof templates

export async function handle(context: CommandContext): Promise<number> {
  const folder = path.resolve(context.cwd, textArgument(context, 0) || '.')
  const template = templateOf(await chosenTemplate(context))
  const name = projectName(folder)
  const made = await initProject({ template: templateFolder(template), folder, name })
  const next = templates[template]
  if (context.output.json) context.output.writeJson({ ...made, template, next })
  else {
    const into = path.relative(context.cwd, folder)
    context.output.say(`made ${name} in ${into === '' ? 'this folder' : into}: ${made.files.length} files`)
    context.output.say('next:')
    if (into !== '') context.output.say(`  cd ${into}`)
    for (const command of next) context.output.say(`  ${command}`)
  }
  return 0
}

async function chosenTemplate(context: CommandContext): Promise<string> {
  const named = textOption(context, 'template')
  if (named !== null) return named
  if (flagOption(context, 'yes') || !context.output.live || !process.stdin.isTTY) return 'notebook'
  const { isCancel, select } = await import('@clack/prompts')
  const answer = await select({
    message: 'What do you start from?',
    options: [
      { value: 'notebook', label: 'a notebook', hint: 'audit it, graduate it, run it' },
      { value: 'sql', label: 'SQL queries' },
      { value: 'python', label: 'Python functions' },
      { value: 'typescript', label: 'TypeScript functions' },
    ],
  })
  if (isCancel(answer)) throw new CellmillError('CANCELLED', 'interrupted')
  return answer
}

function templateOf(name: string): Template {
  if (Object.hasOwn(templates, name)) return name as Template
  const near = nearestName(name, Object.keys(templates))
  throw new CellmillError('UNKNOWN_NAME', `there is no template '${name}'`, {
    hint: near === null ? `choose one of ${Object.keys(templates).join(', ')}` : `did you mean '${near}'?`,
  })
}

function templateFolder(template: Template): string {
  return fileURLToPath(new URL(`../../templates/${template}`, import.meta.url))
}

/** The folder's name, as far as a project's name can have it. */
function projectName(folder: string): string {
  const name = path
    .basename(folder)
    .replaceAll(/[^\w-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  return name === '' ? 'project' : name
}
