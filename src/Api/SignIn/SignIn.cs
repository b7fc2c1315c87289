using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>The tokens of a session, as returned by login and refresh.</summary>
/// <param name="ExpiresIn">Seconds until the access token expires.</param>
/// <param name="RefreshToken">Single-use: exchange it for the next tokens.</param>
public sealed record TokenDocument(string AccessToken, string TokenType, int ExpiresIn, string RefreshToken);

/// <summary>A cookie session, as returned by login.</summary>
/// <param name="CsrfToken">Send it as <c>X-CSRF-Token</c> with every request that changes something.</param>
public sealed record CookieDocument(string CsrfToken, DateTimeOffset ExpiresAt);

/// <summary>Starts and continues sessions, and issues their tokens and cookies.</summary>
public sealed class SignIn(
    IClusterClient cluster,
    Tokens tokens,
    SessionTokens sessionTokens,
    SessionCookie cookies,
    DeviceCookie devices,
    SessionLimits options,
    TimeProvider time
)
{
    const int MaxAgentLength = 256;

    /// <summary>The account of an otherwise successful login may not have sessions.</summary>
    public static Answer Inactive =>
        Answer.Refused(ProblemType.AccountInactive, "The account is disabled, or its e-mail address is not verified.");

    /// <summary>
    /// Starts a session of an authenticated account and answers its tokens, or sets its cookie. The browser is known to
    /// the account from then on.
    /// </summary>
    /// <param name="methods">How the owner authenticated.</param>
    public async Task<Answer> BeginAsync(
        HttpContext context,
        Guid id,
        Account account,
        long version,
        string[] methods,
        bool byCookie
    )
    {
        var session = Guid.CreateVersion7();
        var start = new StartSession(
            id,
            version,
            byCookie ? Session.Cookie : Session.Token,
            methods,
            time.GetUtcNow().AddHours(options.AbsoluteHours),
            Agent(context)
        );
        var intent = context.Intend(id) with { Session = session };
        var begun = await ClusterCalls.SendAsync(intent, sent =>
            cluster.GetGrain<ISessionGrain>(session).Execute(start, sent)
        );
        var answer = Begun(context, session, begun.Value!, account, version);
        devices.Set(context, id, account);
        return answer;
    }

    /// <summary>
    /// Exchanges a refresh token for new tokens. Of concurrent requests with one token, one succeeds; the reuse then
    /// ends the session, because somebody has a copy.
    /// </summary>
    public async Task<Answer> RefreshAsync(HttpContext context, string refreshToken) =>
        sessionTokens.ReadRefresh(refreshToken) is var (session, generation)
            ? await UseAsync(
                context,
                session,
                new RefreshSession(generation),
                context.Intend(session) with
                {
                    Session = session,
                }
            )
            : Over;

    /// <summary>Ends the session of a refresh token, if it has one that is open.</summary>
    public async Task RevokeAsync(HttpContext context, string refreshToken)
    {
        if (sessionTokens.ReadRefresh(refreshToken) is not var (session, _))
            return;
        var intent = context.Intend(session) with { Session = session };
        await ClusterCalls.SendAsync(intent, sent =>
            cluster.GetGrain<ISessionGrain>(session).Use(new EndSession("revoked"), sent)
        );
    }

    /// <summary>
    /// Records that the caller has authenticated again, and answers new tokens or sets a new cookie. The previous ones
    /// become invalid.
    /// </summary>
    public Task<Answer> StepUpAsync(HttpContext context, string[] methods) =>
        UseAsync(context, context.Caller().Credential!.Value, new AuthenticateSession(methods), context.Intend());

    async Task<Answer> UseAsync(HttpContext context, Guid session, SessionCommand command, Intent intent) =>
        await ClusterCalls.SendAsync(intent, sent => cluster.GetGrain<ISessionGrain>(session).Use(command, sent))
            is { } open
            ? Begun(context, session, open.Session, open.Account, open.AccountVersion)
            : Over;

    Answer Begun(HttpContext context, Guid session, Session state, Account account, long version)
    {
        if (state.Kind is Session.Cookie)
        {
            cookies.Set(context.Response, session, state.Generation);
            return Answer.Of(new CookieDocument(sessionTokens.Csrf(session), state.ExpiresAt));
        }
        var (token, seconds) = tokens.Issue(session, state, account, version);
        return Answer.Of(new TokenDocument(token, "Bearer", seconds, sessionTokens.Refresh(session, state.Generation)));
    }

    static Answer Over =>
        Answer.Refused(ProblemType.SessionOver, "The session has ended, or the token is not its latest. Log in again.");

    /// <summary>The client's own name, for the list of sessions.</summary>
    static string? Agent(HttpContext context)
    {
        var text = context.Request.Headers.UserAgent.ToString();
        if (text is "" || !StrictJson.TextIsClean(text))
            return null;
        text = new([.. text.Where(c => !char.IsControl(c))]);
        return text.Length <= MaxAgentLength ? text : text[..MaxAgentLength];
    }
}
