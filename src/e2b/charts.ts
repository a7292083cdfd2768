// Charts in E2B's form (`charts.d.ts` of @e2b/code-interpreter 2.x), converted from brumate's own description of a matplotlib figure
// (workers/kernel/_brumate/adapters/chart.py). Owns the types and the conversion.

/** Values of E2B's enum of the same name. */
export const ChartType = {
  LINE: 'line',
  SCATTER: 'scatter',
  BAR: 'bar',
  PIE: 'pie',
  BOX_AND_WHISKER: 'box_and_whisker',
  SUPERCHART: 'superchart',
  UNKNOWN: 'unknown',
} as const
export type ChartType = (typeof ChartType)[keyof typeof ChartType]

/** The name of a scale in matplotlib: `linear`, `datetime`, `categorical`, `log` … */
export type ScaleType = string

export interface Chart {
  type: ChartType
  title: string
  // biome-ignore lint/suspicious/noExplicitAny: E2B's own type
  elements: any[]
}

export interface Chart2D extends Chart {
  x_label?: string
  y_label?: string
  x_unit?: string
  y_unit?: string
}

export interface PointData {
  label: string
  points: [number | string, number | string][]
}

/** Ticks are always empty: brumate's description of a figure has none. */
export interface PointChart extends Chart2D {
  x_ticks: (number | string)[]
  x_scale: ScaleType
  x_tick_labels: string[]
  y_ticks: (number | string)[]
  y_scale: ScaleType
  y_tick_labels: string[]
  elements: PointData[]
}
export type LineChart = PointChart & { type: 'line' }
export type ScatterChart = PointChart & { type: 'scatter' }

export interface BarData {
  label: string
  value: string
  group: string
}
export type BarChart = Chart2D & { type: 'bar'; elements: BarData[] }

export interface PieData {
  label: string
  angle: number
  radius: number
}
export type PieChart = Chart & { type: 'pie'; elements: PieData[] }

export type SuperChart = Chart & { type: 'superchart'; elements: Chart[] }
/** Histograms and heatmaps, and axes with series of several types. */
export type UnknownChart = Chart & { type: 'unknown' }
export type ChartTypes = LineChart | ScatterChart | BarChart | PieChart | SuperChart | UnknownChart

type Place = number | string | null

interface Series {
  readonly type: string
  readonly label: string | null
  readonly x: readonly Place[]
  readonly y: readonly Place[]
  readonly horizontal?: boolean
  readonly labels: readonly (string | null)[]
  readonly values: readonly number[]
}

interface Axes {
  readonly type: string
  readonly title: string | null
  readonly x: { readonly label: string | null; readonly scale: string }
  readonly y: { readonly label: string | null; readonly scale: string }
  readonly series: readonly Series[]
}

const DEGREES = 360

/** @param json an `application/vnd.brumate.chart+json`, which Python code can also write itself; `undefined` if it is not a chart */
export function chartOf(json: string): ChartTypes | undefined {
  try {
    const { title, axes } = JSON.parse(json) as { title: string | null; axes: readonly Axes[] }
    const charts = axes.map(chartOfAxes)
    const [only] = charts
    if (only && charts.length === 1) return { ...only, title: only.title ?? title }
    return { type: 'superchart', title: title as string, elements: charts }
  } catch {
    return undefined
  }
}

function chartOfAxes({ type, title, x, y, series }: Axes): ChartTypes {
  const common = { title: title as string }
  if (type === 'pie') return { ...common, type, elements: series.flatMap(slices) }
  const plane = {
    ...common,
    ...{ x_label: x.label as string, y_label: y.label as string },
    // E2B uses null for missing values, although its types do not allow it.
    ...{ x_unit: unitOf(x.label) as string, y_unit: unitOf(y.label) as string },
  }
  if (type === 'bar') return { ...plane, type, elements: series.flatMap(bars) }
  if (type !== 'line' && type !== 'scatter') return { ...plane, type: 'unknown', elements: [] }
  return {
    ...plane,
    type,
    ...{ x_ticks: [], x_tick_labels: [], x_scale: scaleOf(x.scale, series[0]?.x) },
    ...{ y_ticks: [], y_tick_labels: [], y_scale: scaleOf(y.scale, series[0]?.y) },
    elements: series.map(({ label, x: across, y: up }) => ({
      label: label as string,
      points: across.map((place, i) => [place, up[i]] as [number | string, number | string]),
    })),
  }
}

function slices({ labels, values }: Series): PieData[] {
  // matplotlib stores angles as 32-bit floats, so round them.
  return values.map((part, i) => ({
    label: labels[i] as string,
    angle: Number((part * DEGREES).toFixed(3)),
    radius: 1,
  }))
}

function bars({ label, x, y, horizontal = false }: Series): BarData[] {
  const [places, lengths] = horizontal ? [y, x] : [x, y]
  // E2B's type says text, but E2B sends numbers.
  return places.map((place, i) => ({
    label: String(place),
    value: lengths[i] as unknown as string,
    group: label as string,
  }))
}

/** The unit in a label: `s` for `Time (s)`. */
function unitOf(label: string | null): string | null {
  return /\(([^()]*)\)/.exec(label ?? '')?.[1] ?? null
}

function scaleOf(scale: string, places: readonly Place[] | undefined): ScaleType {
  const [first] = places ?? []
  if (scale !== 'linear' || typeof first !== 'string') return scale
  return /^\d{4}-\d\d-\d\d/.test(first) ? 'datetime' : 'categorical'
}
