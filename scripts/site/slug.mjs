// Makes the anchor of a heading as GitHub does, so that links to headings work both there and on the site.

/** @param {string} heading its text, without markup */
export function slugOf(heading) {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\- _]/gu, '')
    .replaceAll(' ', '-')
}
