/** "acme/payments" as GitHub's addresses have it. */
export function splitName(fullName: string): { readonly owner: string; readonly repo: string } {
  const [owner = "", repo = ""] = fullName.split("/", 2);
  return { owner, repo };
}
