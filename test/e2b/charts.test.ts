// Charts and data frames of real packages, in E2B's format. Needs BRUMATE_WHEELS.
import { Sandbox } from 'brumate/e2b'
import { expect, onTestFinished, test } from 'vitest'
import { realImage } from '../packages/support/real-image.js'
import { managerForTest } from '../support/manager.js'

const wheels = process.env.BRUMATE_WHEELS

/** Plots in the style of E2B's documentation: draws, labels and shows a figure. */
const figure = (draw: string) => `
import matplotlib.pyplot as plt
plt.figure(figsize=(6, 4))
${draw}
plt.title('Figures')
plt.show()`

test.skipIf(!wheels)('charts and data frames are results as in E2B', { timeout: 240_000 }, async () => {
  const manager = await managerForTest({ image: await realImage(), slots: 1 })
  const sandbox = await Sandbox.create({ manager })
  onTestFinished(async () => void (await sandbox.kill()))
  const resultOf = async (code: string) => (await sandbox.runCode(code)).results[0]

  const bars = await resultOf(
    figure("plt.bar(['A', 'B'], [100, 200], label='Sold')\nplt.xlabel('Author')\nplt.ylabel('Length (cm)')"),
  )
  expect(
    Buffer.from(bars?.png ?? '', 'base64')
      .subarray(1, 4)
      .toString(),
  ).toBe('PNG')
  expect(bars?.isMainResult).toBe(false)
  expect(bars?.chart).toMatchObject({
    ...{
      type: 'bar',
      title: 'Figures',
      x_label: 'Author',
      x_unit: null,
      y_label: 'Length (cm)',
      y_unit: 'cm',
    },
    elements: [
      { label: 'A', value: 100, group: 'Sold' },
      { label: 'B', value: 200, group: 'Sold' },
    ],
  })
  const pie = await resultOf(figure("plt.pie([90, 10], labels=['No', 'Yes'], startangle=90)"))
  expect(pie?.chart).toMatchObject({
    type: 'pie',
    elements: [
      { label: 'No', angle: 324, radius: 1 },
      { label: 'Yes', angle: 36, radius: 1 },
    ],
  })
  const line = await resultOf(figure("plt.plot([1, 10], [2.5, 3], label='a')\nplt.xscale('log')"))
  expect(line?.chart).toMatchObject({
    ...{ type: 'line', x_scale: 'log', y_scale: 'linear' },
    elements: [
      {
        label: 'a',
        points: [
          [1, 2.5],
          [10, 3],
        ],
      },
    ],
  })
  const two = await resultOf(
    'fig, (a, b) = plt.subplots(1, 2)\na.scatter([1], [2])\nb.plot([1, 2], [3, 4])\nplt.show()',
  )
  expect(two?.chart).toMatchObject({ type: 'superchart', elements: [{ type: 'scatter' }, { type: 'line' }] })

  const frame = await resultOf("import pandas as pd\npd.DataFrame({'a': [1, 2], 'b': ['x', None]})")
  expect(frame).toMatchObject({ isMainResult: true, data: { a: [1, 2], b: ['x', null] } })
  expect(frame?.html).toMatch(/<table/)
  expect(frame?.text).toMatch(/^ {3}a/)
})
