using System.ComponentModel.DataAnnotations;
using Resources.Api;

namespace Resources.Polls;

/// <summary>Section <c>Polls</c>.</summary>
public sealed class PollOptions
{
    /// <summary>Choices that a poll may have.</summary>
    [Range(2, 100)]
    public int MaxChoices { get; set; } = 10;

    /// <summary>Votes, by caller.</summary>
    public RateLimit Votes { get; set; } = new() { Permits = 60 };
}
