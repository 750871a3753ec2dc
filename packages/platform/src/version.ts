/** What this is the version of: the platform and its command line. */
export const VERSION = '0.1.0'
