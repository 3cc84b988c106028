/** What the author of a pipeline imports from `@cellmill/sdk`. Pure: nothing here reads, writes or starts anything. */
export { defineConfig } from './config.ts'
export type { ConfigInput, EnvironmentInput } from './config.ts'
export { file, http, sqlite } from './sources.ts'
export type {
  CsvOptions,
  FileOptions,
  FileSourceInput,
  HttpOptions,
  HttpSourceInput,
  JsonOptions,
  Refresh,
  SourceFormat,
  SourceInput,
  SqliteOptions,
  SqliteSourceInput,
} from './sources.ts'
export { bool, date, float, fromEnv, fromProject, int, str } from './parameters.ts'
export type { Parameter, ParameterInput, ProjectParameterReference, VariableParameter } from './parameters.ts'
export { object, path, table } from './inputs.ts'
export type { Columns, InputKind, Row, TableOptions, Value } from './inputs.ts'
export { asset, check, effect, report } from './steps.ts'
export type {
  AssetOptions,
  CheckOptions,
  Duration,
  EffectOptions,
  Inputs,
  Output,
  Parameters,
  ReportContent,
  ReportOptions,
  RunArguments,
  RunContext,
  Size,
  StepValue,
} from './steps.ts'
