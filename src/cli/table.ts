// Packages as lines of text. Owns the layout.

export interface TableRow {
  readonly name: string
  readonly version: string
  readonly source?: string
}

export function packageTable(packages: readonly TableRow[]): string {
  if (packages.length === 0) return '  no packages'
  const width = Math.max(...packages.map(({ name }) => name.length))
  const versionWidth = Math.max(...packages.map(({ version }) => version.length))
  return packages
    .map(({ name, version, source }) => {
      const line = `  ${name.padEnd(width)}  ${version}`
      return source === undefined ? line : `${line.padEnd(width + versionWidth + 6)}${source}`
    })
    .join('\n')
}
