using Resources.Grains;

namespace Resources.Api;

/// <summary>Tokens of a session, as login and refresh answer them.</summary>
/// <param name="ExpiresIn">Seconds until the access token expires.</param>
/// <param name="RefreshToken">Good once, for the next tokens.</param>
public sealed record TokenDocument(string AccessToken, string TokenType, int ExpiresIn, string RefreshToken);

/// <summary>A session by cookie, as login answers it.</summary>
/// <param name="CsrfToken">To be sent as <c>X-CSRF-Token</c> with everything that changes something.</param>
public sealed record CookieDocument(string CsrfToken, DateTimeOffset ExpiresAt);

/// <summary>Begins sessions and hands out what belongs to them.</summary>
public sealed class SignIn(IClusterClient cluster, Tokens tokens, SessionTokens sessionTokens, SessionCookie cookies, SessionLimits options, TimeProvider time)
{
    const int LongestAgent = 256;

    /// <summary>Begins a session of an account whose owner is known by some methods, and answers its tokens, or sets its cookie.</summary>
    public async Task BeginAsync(HttpContext context, Guid id, Account account, long version, string[] methods, bool byCookie)
    {
        var session = Guid.CreateVersion7();
        var start = new StartSession(id, version, byCookie ? Session.Cookie : Session.Token, methods, time.GetUtcNow().AddHours(options.AbsoluteHours), Agent(context));
        var intent = context.Intend(id) with { Session = session };
        var begun = await ClusterCalls.SendAsync(again => cluster.GetGrain<ISessionGrain>(session).Execute(start, intent with { Repeated = again }));
        await AnswerAsync(context, session, begun.Value!, account, version);
    }

    /// <summary>Changes a refresh token for the next tokens. Of two that come with one token, one succeeds, and the session is over: somebody has a copy.</summary>
    public async Task RefreshAsync(HttpContext context, string refreshToken)
    {
        if (sessionTokens.ReadRefresh(refreshToken) is not var (session, generation)) { await RefuseAsync(context); return; }
        var grain = cluster.GetGrain<ISessionGrain>(session);
        var intent = context.Intend(session) with { Session = session };
        var refreshed = await ClusterCalls.SendAsync(again => grain.Execute(new RefreshSession(generation), intent with { Repeated = again }));
        if (refreshed.Rejection is not null || await ClusterCalls.SendAsync(_ => grain.Find()) is not { } open) { await RefuseAsync(context); return; }
        await AnswerAsync(context, session, refreshed.Value!, open.Account, open.AccountVersion);
    }

    /// <summary>Notes that the caller has authenticated again, and answers new tokens, or sets a new cookie; those from before are void.</summary>
    public async Task StepUpAsync(HttpContext context, string[] methods)
    {
        var (session, intent) = (context.Caller().Credential!.Value, context.Intend());
        var grain = cluster.GetGrain<ISessionGrain>(session);
        var renewed = await ClusterCalls.SendAsync(again => grain.Execute(new AuthenticateSession(methods), intent with { Repeated = again }));
        if (renewed.Rejection is not null || await ClusterCalls.SendAsync(_ => grain.Find()) is not { } open) { await RefuseAsync(context); return; }
        await AnswerAsync(context, session, renewed.Value!, open.Account, open.AccountVersion);
    }

    Task AnswerAsync(HttpContext context, Guid session, Session state, Account account, long version)
    {
        context.Response.Headers.CacheControl = "no-store";
        if (state.Kind is Session.Cookie)
        {
            cookies.Set(context.Response, session, state.Generation);
            return Answers.OkAsync(context, new CookieDocument(sessionTokens.Csrf(session), state.ExpiresAt), WireJson.Default.EnvelopeCookieDocument);
        }
        var (token, seconds) = tokens.Issue(session, state, account, version);
        return Answers.OkAsync(context, new TokenDocument(token, "Bearer", seconds, sessionTokens.Refresh(session, state.Generation)), WireJson.Default.EnvelopeTokenDocument);
    }

    static Task RefuseAsync(HttpContext context) => Problems.WriteAsync(context, ProblemType.SessionOver, "The session is over, or this is not its token. Log in again.");

    /// <summary>What a client calls itself, for the list of sessions.</summary>
    static string? Agent(HttpContext context)
    {
        var text = context.Request.Headers.UserAgent.ToString();
        if (text is "" || !StrictJson.TextIsClean(text)) return null;
        text = new([.. text.Where(c => !char.IsControl(c))]);
        return text.Length <= LongestAgent ? text : text[..LongestAgent];
    }
}
