// Types: programs written for E2B compile with either import. The compiler checks these claims (`npm run types`).
import type * as E2B from '@e2b/code-interpreter'
import type * as Ours from 'brumate/e2b'
import { expectTypeOf, test } from 'vitest'

test('types of return values extend those of E2B', () => {
  expectTypeOf<Ours.Execution>().toExtend<Pick<E2B.Execution, 'text' | 'logs' | 'error' | 'executionCount'>>()
  expectTypeOf<Ours.ExecutionError>().toExtend<E2B.ExecutionError>()
  expectTypeOf<Ours.OutputMessage>().toExtend<E2B.OutputMessage>()
  expectTypeOf<Ours.Context>().toExtend<E2B.Context>()
  expectTypeOf<Ours.Logs>().toExtend<E2B.Logs>()
  // Enums are nominal types, so only their values are the same.
  expectTypeOf<Omit<Ours.Result, 'chart' | 'raw'>>().toExtend<Omit<E2B.Result, 'chart' | 'raw'>>()
  expectTypeOf<Omit<Ours.EntryInfo, 'type'>>().toExtend<Omit<E2B.EntryInfo, 'type'>>()
  expectTypeOf<Ours.SandboxInfo>().toExtend<E2B.SandboxInfo>()
})

test('options written for E2B are accepted', () => {
  type Options<T extends (...args: never[]) => unknown> = NonNullable<Parameters<T>[1]>
  expectTypeOf<Options<E2B.Sandbox['runCode']>['timeoutMs']>().toExtend<Ours.RunCodeOpts['timeoutMs']>()
  expectTypeOf<E2B.CreateCodeContextOpts>().toExtend<Ours.CreateCodeContextOpts>()
  expectTypeOf<E2B.Context>().toExtend<Ours.Context>()
  expectTypeOf<E2B.RunCodeLanguage>().toExtend<Ours.RunCodeLanguage>()
  expectTypeOf<Pick<E2B.SandboxOpts, 'apiKey' | 'envs' | 'lifecycle' | 'metadata' | 'timeoutMs'>>().toExtend<
    Partial<Ours.SandboxOpts>
  >()
})

test('methods of Sandbox can replace those of E2B', () => {
  type Calls = 'createCodeContext' | 'removeCodeContext' | 'listCodeContexts' | 'restartCodeContext'
  type Life =
    | 'pause'
    | 'betaPause'
    | 'kill'
    | 'isRunning'
    | 'setTimeout'
    | 'getInfo'
    | 'getHost'
    | 'sandboxId'
  expectTypeOf<Pick<Ours.Sandbox, Calls | Life>>().toExtend<Pick<E2B.Sandbox, Calls | Life>>()
  type FileCalls = 'read' | 'write' | 'writeFiles' | 'exists' | 'makeDir' | 'remove'
  type WithoutType = { [Name in FileCalls]: Ours.Filesystem[Name] }
  expectTypeOf<Pick<WithoutType, 'read' | 'exists' | 'makeDir' | 'remove'>>().toExtend<
    Pick<E2B.Sandbox['files'], 'read' | 'exists' | 'makeDir' | 'remove'>
  >()
})
