// Compiles consumer.ts under one TypeScript, in each way that users do. Arguments: the TypeScript package, and the project's folder.
// Errors in declarations other than brumate's are ignored: checking them costs time, and they are not ours.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { COMMON, LIBRARIES, MODULES } from './type-settings.mjs'

const [, , typescript, project] = process.argv
const ts = createRequire(import.meta.url)(typescript)
const entry = join(project, 'consumer.ts')
const declarations = join(project, 'node_modules/brumate/')

let failed = false
for (const modules of MODULES) {
  const parsed = new Map()
  for (const lib of LIBRARIES) {
    const { options, errors } = ts.convertCompilerOptionsFromJson({ ...COMMON, ...modules, lib }, project)
    const host = ts.createCompilerHost(options)
    const { getSourceFile } = host
    host.getSourceFile = (file, ...rest) => {
      if (!parsed.has(file)) parsed.set(file, getSourceFile(file, ...rest))
      return parsed.get(file)
    }
    const program = ts.createProgram([entry], options, host)
    const isOurs = ({ fileName }) => fileName === entry || fileName.startsWith(declarations)
    const files = program.getSourceFiles().filter(isOurs)
    if (files.length < 2) throw new Error(`nothing in ${declarations} was compiled`)
    const diagnostics = [
      ...errors,
      ...program.getOptionsDiagnostics(),
      ...files.flatMap((file) => [
        ...program.getSyntacticDiagnostics(file),
        ...program.getSemanticDiagnostics(file),
      ]),
    ]
    if (diagnostics.length === 0) continue
    failed = true
    console.log(`TypeScript ${ts.version}, ${modules.moduleResolution}, lib ${lib}:`)
    console.log(ts.formatDiagnostics(diagnostics, { ...host, getCurrentDirectory: () => project }))
  }
}
process.exitCode = failed ? 1 : 0
