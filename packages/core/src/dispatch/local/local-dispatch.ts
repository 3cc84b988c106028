/** Executes attempts in children of this process, by the runtime of the step's language. Runtimes are opened on first use. */
import type { Dispatch } from '../dispatch.ts'
import type { Language } from '../../model/project.ts'
import type { Runtime } from '../../runtimes/runtime.ts'

export interface LocalDispatchOptions {
  readonly slots: number
  readonly runtimes: Readonly<Record<Language, () => Promise<Runtime>>>
}

export function localDispatch(options: LocalDispatchOptions): Dispatch {
  const opened = new Map<Language, Promise<Runtime>>()
  const runtimeOf = (language: Language): Promise<Runtime> => {
    let runtime = opened.get(language)
    if (runtime === undefined) {
      runtime = options.runtimes[language]()
      opened.set(language, runtime)
    }
    return runtime
  }
  return {
    slots: options.slots,
    async execute(work, log, signal) {
      const runtime = await runtimeOf(work.definition.language)
      return runtime.run(work, log, signal)
    },
    async close() {
      const results = await Promise.allSettled(opened.values())
      for (const result of results) if (result.status === 'fulfilled') await result.value.close()
    },
  }
}
