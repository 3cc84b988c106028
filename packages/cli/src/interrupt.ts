/** Ctrl-C once asks the command to stop in order; a second time ends the process at once. */
import type { Output } from './output/output.ts'

export interface Interrupt {
  readonly signal: AbortSignal
  close(): void
}

export function interruptSignal(output: Output): Interrupt {
  const controller = new AbortController()
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(130)
    output.sayAlways('stopping; Ctrl-C again to end at once')
    controller.abort(new DOMException('interrupted', 'AbortError'))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    signal: controller.signal,
    close: () => {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    },
  }
}
