/** Every documented route that the connector is meant to use is used, and no other. */
import { expect } from '@jest/globals';
import { checkSetup } from '../../nodes/core/flow';
import { eachConnector, endSession, isLeftOut, list, retrieve, revoke, within } from './suite';

eachConnector(({ facts, bench, check }) => {
	check('every route of the vendor is used, or is known not to be', async () => {
		const budget = within(20_000);
		for (const { title } of facts.authentications) {
			const connection = bench().connection({ authentication: title });
			for (const { identity } of facts.lookUps) {
				await retrieve(connection, identity);
				await revoke(connection, identity);
			}
			await checkSetup({ connection, budget });
			if (!isLeftOut(facts.oneSession)) {
				const { happy } = facts.people;
				await endSession(connection, bench().signIn(happy), happy);
			}
			if (!isLeftOut(facts.listing)) await list(connection, facts.people.happy);
			if (!isLeftOut(facts.batch)) {
				const surroundings = { usersInParallel: 50, users: 50 };
				const many = bench().connection({ authentication: title, surroundings });
				await Promise.all(facts.people.crowd.map((user) => revoke(many, user)));
			}
			await bench().useTheRest?.(connection);
		}
		const unused = Object.entries(bench().simulator.hits).filter(([, hits]) => hits === 0);
		expect(unused.map(([route]) => route).toSorted()).toEqual(
			Object.keys(facts.unusedRoutes).toSorted(),
		);
		for (const reason of Object.values(facts.unusedRoutes)) expect(reason).toMatch(/\w+ \w+/);
	});

	check('the steps of the facts are the requests of the connector', async () => {
		await revoke(bench(), facts.people.happy);
		const { requests } = bench().simulator;
		const matches = [
			...facts.lookUps.map(({ match }) => match),
			facts.revoke.match,
			...(isLeftOut(facts.readBack) ? [] : [facts.readBack.match]),
			...(isLeftOut(facts.ownAccount) ? [] : [facts.ownAccount]),
			...(isLeftOut(facts.revoke.lists) ? [] : [facts.revoke.lists.match]),
		];
		for (const request of requests) {
			const found = matches.filter((match) => match(request)).length;
			expect({ route: request.route, found }).toEqual({ route: request.route, found: 1 });
		}
		expect(requests.length).toBeGreaterThan(1);
	});
});
