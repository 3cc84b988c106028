/**
 * Commands and their quoted output in a guide: the ```console blocks of a Markdown file. A line that begins with `$ ` is
 * a command, the lines below it are quoted from its output; `…` stands for anything. `console exit=1` says what the last
 * command of a block exits with.
 */
export interface GuideCommand {
  readonly command: string
  readonly exitCode: number
  readonly quoted: readonly string[]
  /** In the Markdown file, 1-based. */
  readonly line: number
}

export function consoleBlocks(markdown: string): readonly GuideCommand[] {
  const found: { command: string; exitCode: number; quoted: string[]; line: number }[] = []
  let block: { readonly exitCode: number; readonly from: number } | null = null
  for (const [i, text] of markdown.split('\n').entries()) {
    const opening = /^```console(?: exit=(\d+))?$/.exec(text)
    if (block === null) {
      if (opening !== null) block = { exitCode: Number(opening[1] ?? 0), from: found.length }
    } else if (text === '```') {
      if (found.length > block.from) found.at(-1)!.exitCode = block.exitCode
      block = null
    } else if (text.startsWith('$ ')) found.push({ command: text.slice(2), exitCode: 0, quoted: [], line: i + 1 })
    else found.at(-1)!.quoted.push(text)
  }
  return found
}

/** Whether a line of the output is the quoted one. */
export function isQuoted(quoted: string, output: string): boolean {
  const pattern = quoted
    .split('…')
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
    .join('.*')
  return new RegExp(`^${pattern}$`, 'm').test(output)
}
