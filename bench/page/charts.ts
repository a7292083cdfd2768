// Draws results as SVG with Observable Plot, without a browser: linkedom provides the document. Owns the content and look of each chart, in
// light and in dark mode. Charts have no figures of their own: all data is in the results.
import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import { PEERS, type PeerName } from '../peers/peer.js'
import { figure, type ResultRow, type Results, timesBetter } from '../peers/results.js'

const WIDTH = 860
const ROW_HEIGHT = 21
const LABEL_WIDTH = 300
const LEGEND_HEIGHT = 34

/** For light and dark mode. They differ in hue and in lightness, so that colour-blind readers can tell them apart. */
const COLOURS: Readonly<Record<string, readonly [light: string, dark: string]>> = {
  brumate: ['#0b6e4f', '#3ddc97'],
  eryx: ['#d1495b', '#ff8fa0'],
  monty: ['#7a4fbf', '#bf9bff'],
  pyodide: ['#c98500', '#ffc857'],
  python3: ['#6b7785', '#9aa7b5'],
  kept: ['#0b6e4f', '#3ddc97'],
  lost: ['#d1495b', '#ff8fa0'],
  'cannot be made': ['#b8c0c8', '#4d5761'],
  ink: ['#1f2328', '#e6edf3'],
  paper: ['#ffffff', '#0d1117'],
  grid: ['#d8dee4', '#30363d'],
}
const NAMES: Readonly<Record<string, string>> = { monty: 'Monty', pyodide: 'plain Pyodide' }

export interface Chart {
  readonly file: string
  /** Alternative text. */
  readonly alt: string
  readonly svg: string
}

export function charts(results: Results): Chart[] {
  const peers = PEERS.filter((peer) => results.versions[peer] !== undefined)
  const timed = results.rows.filter(
    ({ id, unit }) => unit === 'ms' && !/^(compute|packages|growth)\//.test(id),
  )
  const drawn: Chart[] = []
  const add = (file: string, alt: string, svg: string) => drawn.push({ file, alt, svg })
  if (timed.length > 0)
    add(
      'times',
      'Milliseconds of each operation in each peer, on a logarithmic scale',
      dots(timed, peers, 'ms, logarithmic; a line is from quartile to quartile'),
    )
  const programs = results.rows.filter(({ id }) => /^(compute|packages)\//.test(id))
  if (programs.length > 0)
    add('compute', 'How many times as long as in brumate each program takes', ratios(programs, peers))
  if (Object.keys(results.kinds).length > 0)
    add('survival', 'How many kinds of objects a snapshot keeps', survival(results))
  const memory = results.rows.filter(({ id }) => id.startsWith('memory/'))
  if (memory.length > 0) add('memory', 'Memory of one more session', bars(memory, peers))
  const growth = results.rows.filter(({ id }) => id.startsWith('growth/made-'))
  if (growth.length > 0)
    add('growth', 'Milliseconds for each session when 1, 8 and 64 are made at once', lines(growth, peers))
  return drawn
}

function label({ group, title, state }: ResultRow): string {
  const text = title.replaceAll('`', '')
  return `${state === 'cold' ? `${text}, cold` : text}${group === 'Snapshots' ? ' ' : ''}`
}

const colourOf = (name: string) => `var(--${name.replaceAll(' ', '-')})`

function dots(rows: readonly ResultRow[], peers: readonly PeerName[], axis: string): string {
  const points = rows.flatMap((row) =>
    peers.flatMap((peer) => {
      const found = figure(row.cells[peer])
      // A logarithmic scale cannot show zero.
      return found && found.median > 0
        ? [{ label: label(row), peer, x: found.median, low: Math.max(found.low, 0.001), high: found.high }]
        : []
    }),
  )
  const options = {
    height: rows.length * ROW_HEIGHT + 70,
    x: {
      type: 'log',
      label: axis,
      grid: true,
      tickFormat: (x: number) => (String(x).match(/^(1|0\.0*1)0*$/) ? String(x) : ''),
    },
    y: { domain: rows.map(label), label: null },
    marks: [
      Plot.ruleY(points, { y: 'label', stroke: colourOf('grid') }),
      Plot.link(points, {
        ...{ x1: 'low', x2: 'high', y1: 'label', y2: 'label' },
        ...{ stroke: (d: { peer: string }) => colourOf(d.peer), strokeWidth: 2, strokeOpacity: 0.5 },
      }),
      Plot.dot(points, { x: 'x', y: 'label', r: 4.5, fill: (d: { peer: string }) => colourOf(d.peer) }),
    ],
  } satisfies Plot.PlotOptions
  return drawn(options, peers)
}

function ratios(rows: readonly ResultRow[], peers: readonly PeerName[]): string {
  const points = rows.flatMap((row) =>
    peers.flatMap((peer) => {
      const x = peer === 'brumate' ? (figure(row.cells.brumate) ? 1 : undefined) : timesBetter(row, peer)
      return x === undefined ? [] : [{ label: label(row), peer, x }]
    }),
  )
  const options = {
    height: rows.length * ROW_HEIGHT + 70,
    x: {
      type: 'log',
      label: 'time ÷ time in brumate, logarithmic: left of 1 is quicker than brumate',
      grid: true,
      ticks: [0.1, 0.2, 0.5, 1, 2, 5, 10],
      tickFormat: String,
    },
    y: { domain: rows.map(label), label: null },
    marks: [
      Plot.ruleY(points, { y: 'label', stroke: colourOf('grid') }),
      Plot.ruleX([1], { stroke: colourOf('brumate') }),
      Plot.dot(points, { x: 'x', y: 'label', r: 4.5, fill: (d: { peer: string }) => colourOf(d.peer) }),
    ],
  } satisfies Plot.PlotOptions
  return drawn(options, peers)
}

function survival({ kinds }: Results): string {
  const fates = ['kept', 'lost', 'cannot be made']
  const rows = PEERS.flatMap((peer) => {
    const all = Object.values(kinds[peer] ?? {})
    return all.length === 0
      ? []
      : fates.map((fate) => ({
          peer: NAMES[peer] ?? peer,
          fate,
          count: all.filter((one) => one === fate).length,
        }))
  })
  const options = {
    height: (rows.length / fates.length) * 38 + 70,
    x: { label: 'kinds of objects', grid: true },
    y: { domain: [...new Set(rows.map(({ peer }) => peer))], label: null },
    marks: [
      Plot.barX(
        rows,
        Plot.stackX({
          x: 'count',
          y: 'peer',
          fill: (d: { fate: string }) => colourOf(d.fate),
          order: fates,
          z: 'fate',
          inset: 2,
        }),
      ),
      Plot.text(
        rows.filter(({ count }) => count > 2),
        Plot.stackX({
          x: 'count',
          y: 'peer',
          z: 'fate',
          order: fates,
          text: 'count',
          fill: colourOf('paper'),
          fontWeight: 600,
        }),
      ),
    ],
  } satisfies Plot.PlotOptions
  return drawn(options, fates, 110)
}

function bars(rows: readonly ResultRow[], peers: readonly PeerName[]): string {
  const points = rows.flatMap((row) =>
    peers.flatMap((peer) => {
      const found = figure(row.cells[peer])
      return found && found.median > 0
        ? [
            {
              of: `${label(row)}, ${row.unit}`,
              peer,
              x: found.median,
              text: `${NAMES[peer] ?? peer} ${found.median.toPrecision(3)}`,
            },
          ]
        : []
    }),
  )
  // Megabytes stand beside kilobytes, so each row has its own scale: compare lengths only within a row.
  const most = new Map(
    rows.map((row) => {
      const of = `${label(row)}, ${row.unit}`
      return [of, Math.max(...points.filter((point) => point.of === of).map(({ x }) => x))]
    }),
  )
  const scaled = points.map((point) => ({ ...point, share: point.x / (most.get(point.of) ?? 1) }))
  const options = {
    height: rows.length * peers.length * 26 + 90,
    x: { axis: null, domain: [0, 1.3] },
    y: { axis: null, domain: peers },
    fy: { label: null, domain: [...most.keys()], padding: 0.3 },
    marks: [
      Plot.barX(scaled, {
        x: 'share',
        y: 'peer',
        fy: 'of',
        fill: (d: { peer: string }) => colourOf(d.peer),
        inset: 2,
      }),
      Plot.text(scaled, { x: 'share', y: 'peer', fy: 'of', text: 'text', textAnchor: 'start', dx: 6 }),
      Plot.text([...most.keys()], {
        fy: (of: string) => of,
        text: (of: string) => of,
        frameAnchor: 'top-left',
        dy: -16,
        fontWeight: 600,
      }),
      Plot.axisFy({ text: () => '' }),
    ],
  } satisfies Plot.PlotOptions
  return drawn(options, peers, 20)
}

function lines(rows: readonly ResultRow[], peers: readonly PeerName[]): string {
  const points = rows.flatMap((row) =>
    peers.flatMap((peer) => {
      const found = figure(row.cells[peer])
      return found ? [{ count: Number(row.id.split('-').at(-1)), peer, y: found.median }] : []
    }),
  )
  const options = {
    height: 330,
    x: { type: 'log', base: 2, label: 'sessions made at once', ticks: [1, 8, 64], tickFormat: String },
    y: {
      type: 'log',
      label: 'ms for each, logarithmic',
      labelAnchor: 'center',
      grid: true,
      tickFormat: (y: number) => (String(y).match(/^(1|0\.0*1)0*$/) ? String(y) : ''),
    },
    marks: [
      Plot.line(points, {
        x: 'count',
        y: 'y',
        z: 'peer',
        stroke: (d: { peer: string }) => colourOf(d.peer),
        strokeWidth: 2,
      }),
      Plot.dot(points, { x: 'count', y: 'y', r: 4, fill: (d: { peer: string }) => colourOf(d.peer) }),
    ],
  } satisfies Plot.PlotOptions
  return drawn(options, peers, 70)
}

function drawn(options: Plot.PlotOptions, legend: readonly string[], marginLeft = LABEL_WIDTH): string {
  const { document } = parseHTML('<html><body></body></html>')
  const height = (options.height ?? 0) + LEGEND_HEIGHT
  const svg = Plot.plot({
    ...{ document, className: 'chart', width: WIDTH, marginLeft, marginRight: 30 },
    ...{ marginTop: LEGEND_HEIGHT + 30, marginBottom: 44, ...options, height },
  })
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  svg.setAttribute('font-size', '12')
  const style = document.createElementNS('http://www.w3.org/2000/svg', 'style')
  const variables = (index: 0 | 1) =>
    Object.entries(COLOURS)
      .map(([name, pair]) => `--${name.replaceAll(' ', '-')}:${pair[index]}`)
      .join(';')
  style.textContent = `svg{${variables(0)};color:var(--ink);background:var(--paper)}@media(prefers-color-scheme:dark){svg{${variables(1)}}}`
  svg.append(style)
  let x = 16
  for (const name of legend) {
    const text = NAMES[name] ?? name
    svg.insertAdjacentHTML(
      'beforeend',
      `<circle cx="${x}" cy="18" r="5" fill="${colourOf(name)}"></circle><text x="${x + 10}" y="22" text-anchor="start">${text}</text>`,
    )
    x += 34 + text.length * 7
  }
  return `${svg.outerHTML}\n`
}
