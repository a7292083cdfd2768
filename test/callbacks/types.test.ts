// The types of callbacks, which `npm run types` checks: the arguments of `fn` are inferred from a Standard Schema.
import type {
  CallbackArguments,
  CallbackDefinition,
  Callbacks,
  SessionManager,
  SessionOptions,
  StandardSchema,
} from 'brumate'
import { expect, expectTypeOf, test } from 'vitest'
import { sharedManager } from '../support/shared-manager.js'

/** A schema whose input and output types differ, as with zod and similar libraries. */
function cityAndDays(): StandardSchema<
  { readonly city: string; readonly days?: number },
  { readonly city: string; readonly days: number }
> {
  return {
    '~standard': {
      version: 1,
      vendor: 'by hand',
      validate: (value) => ({ value: { days: 3, ...(value as { city: string }) } }),
    },
  }
}

test('argument types are inferred from a Standard Schema, wherever it is in the definition', async () => {
  const manager = await sharedManager({ slots: 1 })
  await using session = await manager.createSession({
    callbacks: {
      before: {
        parameters: cityAndDays(),
        fn: ({ city, days }) => {
          expectTypeOf(city).toEqualTypeOf<string>()
          expectTypeOf(days).toEqualTypeOf<number>()
          return [city, days]
        },
      },
      after: {
        fn: (args, context) => {
          expectTypeOf(args).toEqualTypeOf<{ readonly city: string; readonly days: number }>()
          expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>()
          return args.days
        },
        description: 'The schema comes last.',
        parameters: cityAndDays(),
      },
      json: { parameters: { type: 'object', properties: { a: {} } }, fn: ({ a }) => a.anything },
      bare: { fn: ({ a }) => a },
      plain: ({ a, b }) => a + b,
      async *stream({ n }) {
        yield n
      },
    },
  })
  expect(
    (await session.execute('[await before(city="Rome"), await after(city="x"), await plain(a=1, b=2)]'))
      .value,
  ).toEqual([['Rome', 3], 3, 3])
})

/** Never called, only type-checked. */
function mistakes(manager: SessionManager, options: SessionOptions, callbacks: Callbacks) {
  const parameters = cityAndDays()
  return [
    // @ts-expect-error the schema gives a string
    manager.createSession({ callbacks: { f: { fn: ({ city }: { city: number }) => city, parameters } } }),
    // @ts-expect-error no such field
    manager.createSession({ callbacks: { f: { parameters, fn: ({ town }) => town } } }),
    // @ts-expect-error not a callback
    manager.createSession({ callbacks: { f: 5 } }),
    // @ts-expect-error an unknown option
    manager.createSession({ callbackz: {} }),
    manager.createSession(options),
    manager.createSession({ ...options, callbacks }),
    manager.createSession({ callbacks }),
    manager.createSession(),
    manager.createSession({ callbacks: { f: { fn: ({ city }: { city: string }) => city, parameters } } }),
  ]
}

test('definitions can be written separately from the session', () => {
  const parameters = cityAndDays()
  const definition: CallbackDefinition<typeof parameters> = { parameters, fn: ({ days }) => days.toFixed() }
  const callbacks: Callbacks = { definition, other: () => 1 }
  expectTypeOf<CallbackArguments<typeof parameters>['city']>().toEqualTypeOf<string>()
  expectTypeOf(mistakes).toBeFunction()
  expect(Object.keys(callbacks)).toEqual(['definition', 'other'])
})
