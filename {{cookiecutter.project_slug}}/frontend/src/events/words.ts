/** "grade_received" becomes "grade received". */
export function words(kind: string): string {
  return kind.replaceAll("_", " ");
}
