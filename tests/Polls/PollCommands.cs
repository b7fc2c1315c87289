using Orleans;

namespace Resources.Polls;

[GenerateSerializer, Immutable, Alias("poll-command")]
public abstract record PollCommand;

[GenerateSerializer, Immutable, Alias("poll-open")]
public sealed record OpenPoll(string Question, string[] Choices) : PollCommand;

[GenerateSerializer, Immutable, Alias("poll-vote")]
public sealed record Vote(string Choice) : PollCommand;

[GenerateSerializer, Immutable, Alias("poll-close")]
public sealed record ClosePoll : PollCommand;
