/** The function is killed when AWS has got one call of a healing, for each of them: what follows ends in the same way. */
import { hasAll, healed, lose, results, UNDISTURBED, whole } from './healSupport';

test.each(UNDISTURBED.map((_, index) => index + 1))(
  'the function is killed after write %i of a healing',
  async (count) => {
    const stage = await whole('network-function');
    lose(stage);
    let writes = 0;
    stage.ec2.onRequest(({ action }) => {
      if (action.startsWith('Describe') || action === 'RecordLifecycleActionHeartbeat') return;
      writes += 1;
      if (writes === count) stage.lambda.kill();
    });
    await healed(stage);
    expect(stage.lambda.failures).toContain('Runtime exited with error: signal: killed');
    hasAll(stage);
    expect(results(stage)).toEqual(['CONTINUE']);
    // A message may come twice, with the same id.
    const ids = new Map(stage.messages.map(({ id, kind }) => [id, kind]));
    expect([...ids.values()]).toEqual(['healing-began', 'healing-ended']);
  },
);
