using System.Diagnostics;
using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>The commands of a session: given events, when a command, then events or a refusal.</summary>
public class SessionDecisionTests
{
    static readonly Guid Owner = new(1, 0, 0, new byte[8]);
    static readonly TimeSpan Idle = TimeSpan.FromMinutes(30);

    // The session starts at minute 1 and expires at minute 60.
    static readonly SessionEvent Started = new SessionStarted(Owner, 3, "token", ["pwd"], Story.At(60), "curl");
    static readonly SessionEvent Refreshed = new SessionRefreshed();
    static readonly SessionEvent Used = new SessionUsed();
    static readonly SessionEvent Ended = new SessionEnded("logout");

    static readonly SessionCommand Start = new StartSession(Owner, 3, "token", ["pwd"], Story.At(60), "curl");

    /// <summary>One sample of every command except the start.</summary>
    static readonly SessionCommand[] Commands =
    [
        new RefreshSession(1),
        new TouchSession(1),
        new AuthenticateSession(["otp"]),
        new EndSession("logout"),
    ];

    [Fact]
    public void A_session_starts_as_its_command_says() =>
        When([], Start).Is(new SessionStarted(Owner, 3, "token", ["pwd"], Story.At(60), "curl"));

    [Fact]
    public void A_session_starts_only_once() => Assert.Throws<UnreachableException>(() => When([Started], Start));

    [Fact]
    public void A_started_session_is_of_the_first_generation_and_authenticated()
    {
        var session = After([Started]);
        Assert.Equal((1, Story.At(1), Story.At(1)), (session.Generation, session.AuthenticatedAt, session.UsedAt));
    }

    [Fact]
    public void The_current_refresh_token_is_exchanged_for_the_next()
    {
        When([Started], new RefreshSession(1)).Is(new SessionRefreshed());
        When([Started, Refreshed], new RefreshSession(2)).Is(new SessionRefreshed());
        Assert.Equal(3, After([Started, Refreshed, Refreshed]).Generation);
    }

    [Fact]
    public void A_spent_refresh_token_ends_the_session() =>
        When([Started, Refreshed], new RefreshSession(1)).Is(new SessionEnded("reused"));

    [Fact]
    public void A_spent_cookie_ends_the_session() =>
        When([Started, new SessionAuthenticated(["otp"])], new TouchSession(1)).Is(new SessionEnded("reused"));

    [Fact]
    public void A_token_of_a_generation_that_was_never_issued_is_refused_and_ends_nothing()
    {
        When([Started], new RefreshSession(2)).IsRefused(Refusal.SessionOver);
        When([Started], new TouchSession(2)).IsRefused(Refusal.SessionOver);
    }

    [Fact]
    public void A_use_is_recorded_and_keeps_the_generation()
    {
        When([Started], new TouchSession(1)).Is(new SessionUsed());
        var session = After([Started, Used]);
        Assert.Equal((1, Story.At(2)), (session.Generation, session.UsedAt));
    }

    [Fact]
    public void Another_authentication_adds_its_methods_and_voids_earlier_tokens()
    {
        When([Started], new AuthenticateSession(["otp"])).Is(new SessionAuthenticated(["otp"]));
        var session = After([Started, new SessionAuthenticated(["otp", "pwd"])]);
        Assert.Equal(["pwd", "otp"], session.Methods);
        Assert.Equal((2, Story.At(2)), (session.Generation, session.AuthenticatedAt));
    }

    [Theory]
    [InlineData("logout")]
    [InlineData("ended")]
    public void A_session_ends_for_the_given_reason(string reason) =>
        When([Started], new EndSession(reason)).Is(new SessionEnded(reason));

    [Fact]
    public void Every_use_of_an_idle_session_ends_it_as_expired()
    {
        foreach (var command in Commands.Where(command => command is not EndSession))
            When([Started], command, Story.At(31)).Is(new SessionEnded("expired"));
        When([Started], new TouchSession(1), Story.At(31).AddTicks(-1)).Is(new SessionUsed());
    }

    [Fact]
    public void A_use_puts_the_idle_timeout_off()
    {
        When([Started, Used], new TouchSession(1), Story.At(31)).Is(new SessionUsed());
        When([Started, Used], new TouchSession(1), Story.At(32)).Is(new SessionEnded("expired"));
    }

    [Fact]
    public void A_session_in_use_expires_at_its_absolute_limit()
    {
        SessionEvent[] given = [Started, .. Enumerable.Repeat(Used, 49)];
        When(given, new TouchSession(1), Story.At(60).AddTicks(-1)).Is(new SessionUsed());
        foreach (var command in Commands.Where(command => command is not EndSession))
            When(given, command, Story.At(60)).Is(new SessionEnded("expired"));
    }

    [Fact]
    public void An_expired_session_is_ended_by_its_owner_all_the_same() =>
        When([Started], new EndSession("logout"), Story.At(61)).Is(new SessionEnded("logout"));

    [Fact]
    public void A_spent_token_of_an_expired_session_ends_it_as_expired() =>
        When([Started, Refreshed], new RefreshSession(1), Story.At(61)).Is(new SessionEnded("expired"));

    [Fact]
    public void Every_command_of_a_missing_or_ended_session_is_refused()
    {
        foreach (var command in Commands)
        {
            When([], command).IsRefused(Refusal.SessionOver);
            When([Started, Ended], command).IsRefused(Refusal.SessionOver);
        }
    }

    [Fact]
    public void The_samples_have_every_command_of_a_session() =>
        Assert.Equal(
            typeof(SessionCommand)
                .Assembly.GetTypes()
                .Where(type => type.IsSubclassOf(typeof(SessionCommand)) && !type.IsAbstract)
                .Select(type => type.Name)
                .Order(),
            Commands.Append(Start).Select(command => command.GetType().Name).Order()
        );

    [Fact]
    public void A_session_is_open_until_it_ends_or_expires()
    {
        Assert.True(After([Started]).IsOpen(Story.At(2), Idle));
        Assert.False(After([Started, Ended]).IsOpen(Story.At(2), Idle));
        Assert.False(After([Started]).IsOpen(Story.At(31), Idle));
        Assert.False(After([Started]).IsOpen(Story.At(60), TimeSpan.FromDays(1)));
    }

    static Session After(SessionEvent[] given) => Outcome.After<Session, SessionEvent>(given, Session.Evolve).State!;

    static Decision<SessionEvent> When(SessionEvent[] given, SessionCommand command, DateTimeOffset? now = null)
    {
        var (state, version) = Outcome.After<Session, SessionEvent>(given, Session.Evolve);
        var context = Outcome.Context(version);
        return Session.Decide(state, command, new(context with { Now = now ?? context.Now }, Idle));
    }
}
