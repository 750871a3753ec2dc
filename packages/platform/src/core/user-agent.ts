/** How our own command line names itself to the doors. It is what a client says of itself: it tells where a request came from, and opens nothing. */
export const COMMAND_LINE_AGENT = 'daggerboard-cli'
