using Resources.Grains;

namespace Resources.Polls;

/// <summary>What happens to a poll.</summary>
public abstract record PollEvent;

[Event("poll.opened")]
public sealed record PollOpened(string Question, string[] Choices) : PollEvent;

[Event("poll.voted")]
public sealed record PollVoted(string Choice) : PollEvent;

[Event("poll.closed")]
public sealed record PollClosed : PollEvent;
