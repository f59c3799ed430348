import { decodeProfile } from '../../../collectors/pprof/decode.ts';
import { runCases } from '../../support/cases.ts';

runCases('test/collectors/pprof/cases', (input) => {
  if (input.format !== 'hex') throw new Error('a profile is bytes');
  const profile = decodeProfile(input.bytes);
  if (!profile.ok) return { expected: [], rejects: [profile] };
  const stacks = profile.stacks.map((stack, number) => {
    const { functions, locations } = profile.frames(number);
    return {
      stack,
      values: profile.sampleTypes.map((_, type) => profile.value(number, type)),
      functions: functions.join(' > '),
      locations: locations.join(' > '),
    };
  });
  const totals = profile.sampleTypes.map(({ type, unit }, index) => `${type}/${unit} ${profile.total(index)}`);
  return { expected: [{ totals }, ...stacks], rejects: [] };
});
