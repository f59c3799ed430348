// @ts-check
/** The team that never was: made-up people around the world, and a bot. */

/** What commits, CI and deploys call the repository alike. */
export const REPOSITORY = 'example/go-shop';

/**
 * @typedef {object} Person
 * @property {string} name
 * @property {string} email
 * @property {string} offset of their clock from UTC, as git writes it
 */

/** @type {readonly Person[]} */
export const TEAM = [
  { name: 'Amara Okafor', email: 'amara.okafor@example.com', offset: '+0100' },
  { name: 'Bruno Salgado', email: 'bruno.salgado@example.com', offset: '-0300' },
  { name: 'Chiyo Tanabe', email: 'chiyo.tanabe@example.com', offset: '+0900' },
  { name: 'Dilnoza Karimova', email: 'dilnoza.karimova@example.com', offset: '+0500' },
  { name: 'Erik Lindholm', email: 'erik.lindholm@example.com', offset: '+0100' },
  { name: 'Farah Haddad', email: 'farah.haddad@example.com', offset: '+0300' },
  { name: 'Grace Whitfield', email: 'grace.whitfield@example.com', offset: '-0800' },
  { name: 'Hemi Parata', email: 'hemi.parata@example.com', offset: '+1300' },
];

/** @type {Person} */
export const BOT = { name: 'renovate[bot]', email: 'renovate[bot]@example.com', offset: '+0000' };

/** Grace sometimes commits from another machine; the repository's .mailmap says that it is her. */
export const SECOND_ADDRESS = { name: 'gwhitfield', email: 'grace@laptop.example.com', offset: '-0800' };
export const MAILMAP = 'Grace Whitfield <grace.whitfield@example.com> <grace@laptop.example.com>\n';

/**
 * Hour of the day, 0 to 24, on a person's clock.
 * @param {Person} person
 * @param {number} seconds Unix time
 */
export function localHour({ offset }, seconds) {
  const sign = offset.startsWith('-') ? -1 : 1;
  const minutes = sign * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(3, 5)));
  return ((((seconds / 60 + minutes) % 1440) + 1440) % 1440) / 60;
}

/**
 * Who is at work at a moment: from 8 to 18 o'clock where they are. Somebody nearly always is; else everybody counts.
 * @param {number} seconds Unix time
 * @returns {readonly Person[]}
 */
export function atWork(seconds) {
  const awake = TEAM.filter((person) => localHour(person, seconds) >= 8 && localHour(person, seconds) < 18);
  return awake.length > 0 ? awake : TEAM;
}
