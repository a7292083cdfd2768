// id: snapshot-head-file-paths
// title: a head with file paths outside the session
// level: L3
// class: snapshot-files
// expect: error
// control: none the claim is a typed end, in time

import { join, open } from '../../support/forge.mjs'

export default ({ bytes }) => {
  const { head, ...rest } = open(bytes)
  return join({
    ...rest,
    head: {
      ...head,
      files: [
        ['../../etc/passwd', 1],
        ['\0', 2],
        ['', 3],
        ['/tmp/x', -1],
      ],
    },
  })
}
