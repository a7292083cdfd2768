// Converts an execution's output to text. A slot sends large output as bytes, because these can be moved between threads, not copied.
import type { OutputText, RunReport } from '../shared/messages/slot.js'

/** A report whose output has been read. */
export type WithText<Report extends RunReport> = Report & { readonly stdout: string; readonly stderr: string }

export function withText<Report extends RunReport>(report: Report): WithText<Report> {
  if (typeof report.stdout === 'string' && typeof report.stderr === 'string')
    return report as WithText<Report>
  return { ...report, stdout: textOf(report.stdout), stderr: textOf(report.stderr) }
}

/** Whatever the bytes are, this takes a fraction of a millisecond for a megabyte: each becomes one character. */
function textOf(output: OutputText): string {
  if (typeof output === 'string') return output
  return Buffer.from(output.buffer, output.byteOffset, output.byteLength).toString('latin1')
}
