/**
 * Port: start a process that can see only what it is given. Adapters: bubblewrap, landlock (applied by the Python
 * launcher), none. Contract: runtimes/sandbox/contract.ts. `level` is what was really in force and is recorded.
 */
export type SandboxLevel = 'bubblewrap' | 'landlock' | 'none'

export interface Bind {
  /** Absolute path outside. */
  readonly source: string
  /** Absolute path inside; equal to `source` under landlock and none, where nothing can be moved. */
  readonly target: string
  readonly writable: boolean
}

export interface SandboxSpec {
  readonly command: string
  readonly args: readonly string[]
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly binds: readonly Bind[]
  readonly network: boolean
  readonly memoryBytes: number | null
  readonly cpuSeconds: number | null
  /** Processes and threads together. */
  readonly maxProcesses: number | null
  readonly maxFileBytes: number | null
  /** stdout and stderr are cut here, and the process killed. */
  readonly maxOutputBytes: number
  readonly timeoutMs: number | null
  /** 'pipe' gives a request/answer channel over stdin and fd 3 for long-lived workers; 'none' closes stdin. */
  readonly control: 'none' | 'pipe'
}

export interface SandboxExit {
  readonly code: number | null
  readonly signal: string | null
  readonly reason: 'exited' | 'time-limit' | 'output-limit' | 'out-of-memory' | 'process-limit' | 'cancelled'
  readonly ms: number
  readonly peakMemoryBytes: number | null
}

export interface SandboxedProcess {
  /** -1 when it could not be started; `exited` then says so. */
  readonly pid: number
  /** Chunks that come before the first listener are kept for it. All have come when `exited` resolves. */
  onOutput(listener: (stream: 'stdout' | 'stderr', chunk: Buffer) => void): void
  /** Only with `control: 'pipe'`. Frames are single lines of JSON. */
  send(line: string): void
  onControl(listener: (line: string) => void): void
  /** TERM, and KILL after a grace; a second call kills at once. */
  kill(reason: 'cancelled' | 'time-limit'): void
  /** After the whole process tree is gone. Never rejects: what could not be started ends with code 127 and a line on stderr. */
  readonly exited: Promise<SandboxExit>
}

export interface Sandbox {
  readonly level: SandboxLevel
  /** Throws SANDBOX_FAILED for a spec that cannot be met: a bound folder that is not there. Call it from the main thread only. */
  spawn(spec: SandboxSpec, signal?: AbortSignal): SandboxedProcess
  /** Path under which a bound source is visible inside. */
  inside(bind: Bind): string
}
