/** The columns of La Haute Borne's open data: 34 signals, of each the mean, least, greatest and standard deviation over ten minutes. */

export const SIGNALS = [
  ...['Ba', 'Rt', 'DCs', 'Cm', 'P', 'Q', 'S', 'Cosphi', 'Ds', 'Db1t', 'Db2t', 'Dst', 'Gb1t', 'Gb2t', 'Git', 'Gost', 'Ya', 'Yt'],
  ...['Ws1', 'Ws2', 'Ws', 'Wa', 'Va1', 'Va2', 'Va', 'Ot', 'Nf', 'Nu', 'Rs', 'Rbt', 'Rm', 'Pas', 'Wa_c', 'Na_c'],
] as const
export type Signal = (typeof SIGNALS)[number]

export const PARTS = ['avg', 'min', 'max', 'std'] as const
export type Part = (typeof PARTS)[number]

export const TURBINE = 'Wind_turbine_name'
export const TIME = 'Date_time'
/** What is predicted: the mean pitch angle, in degrees. */
export const TARGET = 'Ba_avg'

/** The names of the columns that hold numbers, in the order of the open data. */
export const MEASUREMENTS: readonly string[] = SIGNALS.flatMap((signal) => PARTS.map((part) => `${signal}_${part}`))

/** All 138 columns. */
export const COLUMNS: readonly string[] = [TURBINE, TIME, ...MEASUREMENTS]

export const TURBINES = ['R80711', 'R80721', 'R80736', 'R80790'] as const
