/** What a long command is doing: each stage a line, with one live line of elapsed time on a terminal and a heartbeat elsewhere. */
import { formatDuration } from './format.ts'
import type { Output } from './output.ts'

export interface Progress {
  readonly say: (line: string) => void
  close(): void
}

const liveMs = 500
const heartbeatMs = 30_000

export function startProgress(output: Output): Progress {
  let stage = ''
  let since = Date.now()
  let shown = false
  const clear = (): void => {
    if (shown) process.stderr.write('\r\u001B[2K')
    shown = false
  }
  const tick = (): void => {
    if (stage === '') return
    const line = `${stage}  ${formatDuration(Date.now() - since)}`
    if (!output.live) {
      output.say(`still ${line}`)
      return
    }
    process.stderr.write(`\r\u001B[2K${output.colors.dim(line.slice(0, output.columns - 1))}`)
    shown = true
  }
  const timer = setInterval(tick, output.live ? liveMs : heartbeatMs).unref()
  return {
    say: (line) => {
      clear()
      if (stage !== '' && output.live) output.say(output.colors.dim(`${stage}  ${formatDuration(Date.now() - since)}`))
      if (!output.live) output.say(output.colors.dim(line))
      stage = line
      since = Date.now()
    },
    close: () => {
      clearInterval(timer)
      clear()
      stage = ''
    },
  }
}
