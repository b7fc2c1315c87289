using System.Diagnostics;
using Orleans;
using Resources.Grains;

namespace Resources.Polls;

/// <summary>A poll: a question, its choices and their votes. Each account has one vote.</summary>
[GenerateSerializer, Immutable, Alias("poll")]
public sealed record Poll(string Question, Dictionary<string, int> Votes, string[] Voters, bool Closed)
{
    public static Poll Evolve(Poll? poll, Recorded<PollEvent> recorded) =>
        (poll, recorded.Data) switch
        {
            (null, PollOpened e) => new(e.Question, e.Choices.ToDictionary(choice => choice, _ => 0), [], false),
            ({ } it, PollVoted e) => it with
            {
                Votes = new(it.Votes) { [e.Choice] = it.Votes[e.Choice] + 1 },
                Voters = [.. it.Voters, recorded.Actor],
            },
            ({ } it, PollClosed) => it with { Closed = true },
            _ => throw new UnreachableException($"A poll cannot take {recorded.Data.GetType().Name} here."),
        };

    public static Decision<PollEvent> Decide(Poll? poll, PollCommand command, DecisionContext context) =>
        (poll, command) switch
        {
            (null, OpenPoll open) => [new PollOpened(open.Question, open.Choices)],
            (null, _) => new Rejection(Refusal.NotFound, "There is no such poll."),
            (_, OpenPoll) => new Rejection(Refusal.AlreadyExists, "The poll is open already."),
            ({ Closed: true }, Vote) => new Rejection(Refusal.Invalid, "The poll is closed."),
            ({ } it, Vote vote) when !it.Votes.ContainsKey(vote.Choice) => new Rejection(
                Refusal.Invalid,
                $"The choices are {string.Join(", ", it.Votes.Keys)}."
            ),
            ({ } it, Vote) when it.Voters.Contains(context.Intent.Actor) => [],
            (_, Vote vote) => [new PollVoted(vote.Choice)],
            ({ Closed: true }, ClosePoll) => [],
            (_, ClosePoll) => [new PollClosed()],
            _ => throw new UnreachableException($"A poll does not know {command.GetType().Name}."),
        };
}
