// What the client uses of `node:util`, for browsers: texts for the errors that files of a session have most often.
const WORDS: readonly (readonly [name: string, text: string])[] = [
  ['EACCES', 'permission denied'],
  ['EBUSY', 'resource busy or locked'],
  ['EEXIST', 'file already exists'],
  ['EINVAL', 'invalid argument'],
  ['EISDIR', 'illegal operation on a directory'],
  ['ENOENT', 'no such file or directory'],
  ['ENOSPC', 'no space left on device'],
  ['ENOTDIR', 'not a directory'],
  ['ENOTEMPTY', 'directory not empty'],
  ['EROFS', 'read-only file system'],
]

export function getSystemErrorMap(): Map<number, readonly [name: string, text: string]> {
  return new Map(WORDS.map((words, i) => [-i, words]))
}
