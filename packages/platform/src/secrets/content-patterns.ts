/** Secrets that are known by their looks alone, whatever they stand under. Looking for them is switched on by whoever wants it. */

/** Each as its issuer documents it: long and peculiar enough that ordinary text is no match. */
export const CONTENT_PATTERNS: Readonly<Record<string, RegExp>> = {
  'AWS access key id': /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/,
  'GitHub token': /\bgh[pousr]_[A-Za-z0-9]{36,255}\b|\bgithub_pat_\w{22,255}\b/,
  'Slack token': /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/,
  'Google API key': /\bAIza[\w-]{35}(?![\w-])/,
  'Stripe key': /\b[sr]k_live_[A-Za-z0-9]{16,}\b/,
  'private key': /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/,
  'JSON web token': /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{16,}/,
}
