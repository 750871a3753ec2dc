/** `POST /api/v1/fernetKey/rotate`: encrypts anew with the newest of the keys that this platform runs with. */
import { AppError } from '../../core/app-error.ts'
import { type Recorder, recorded } from '../airflow-record.ts'
import { createDoor, type Door, permit } from '../door.ts'

export interface RotationDoorOptions {
  /** Whether there is an older key to rotate from. */
  readonly hasOlderKeys: boolean
  /** Answers how many of each there were; throws `invalid` and changes nothing when no key can read one of them. */
  readonly rotate: () => Readonly<Record<string, number>>
  readonly recorder: Recorder
}

export function rotationDoor({ hasOlderKeys, rotate, recorder }: RotationDoorOptions): Door {
  const door = createDoor()
  door.post('/api/v1/fernetKey/rotate', permit('connections.write'), recorded(recorder, 'rotate_fernet_key'), (c) => {
    if (hasOlderKeys) return c.json(rotate())
    throw new AppError(
      'conflict',
      'The platform runs with one Fernet key: there is nothing to rotate from. Start it again with core.fernet_key (DAGGERBOARD_FERNET_KEY) set to "NEW,OLD".',
    )
  })
  return door
}
