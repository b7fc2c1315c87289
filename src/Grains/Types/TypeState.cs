using System.Diagnostics;

namespace Resources.Grains;

/// <summary>A definition that is, or was, in force.</summary>
/// <param name="Version">The version of the type that brought it into force.</param>
/// <param name="Fields">The number of each unique rule and reference, by its name or pointer.</param>
[GenerateSerializer, Immutable, Alias("type-form")]
public sealed record TypeForm(
    JsonText Definition,
    long Version,
    Dictionary<string, int> Fields,
    DateTimeOffset At,
    string By
);

/// <summary>A change that is being checked against what is stored.</summary>
/// <param name="Definition">Null where the type is to be deleted.</param>
/// <param name="Position">Writes behind it satisfy the proposal, and what it has come to.</param>
/// <param name="Migration">How stored resources become what it demands; null where they stay as they are.</param>
/// <param name="Begun">The version of the type from which on the migration is under way; null before.</param>
/// <param name="IsClosing">Whether nothing is written in the old form any more.</param>
[GenerateSerializer, Immutable, Alias("type-proposal")]
public sealed record TypeProposal(
    Guid Change,
    string Kind,
    JsonText? Definition,
    Dictionary<string, int> Fields,
    long Version,
    long Position,
    DateTimeOffset At,
    string By,
    JsonText? Migration = null,
    long? Begun = null,
    bool IsClosing = false
);

/// <summary>
/// What became of a change. Every node keeps that of each type's last one, so it has no examples of what was found.
/// </summary>
/// <param name="Version">The version of the type with which it was decided.</param>
/// <param name="Reason">Why it was given up; null when it came into force.</param>
/// <param name="Migrated">How many resources were migrated.</param>
[GenerateSerializer, Immutable, Alias("type-outcome")]
public sealed record TypeOutcome(
    Guid Change,
    long Version,
    string? Reason,
    long Checked,
    long Offending,
    long Migrated = 0
);

/// <summary>What became of a change, as its author is told.</summary>
/// <param name="Examples">The first resources that contradict it.</param>
[GenerateSerializer, Immutable, Alias("type-verdict")]
public sealed record TypeVerdict(TypeOutcome Outcome, TypeOffender[] Examples);

/// <summary>
/// A declared type, or a name that was declared once: a pure function of its events. It knows no grain, store or clock.
/// </summary>
/// <param name="Form">What is in force; null while the name is free.</param>
/// <param name="LastField">Numbers up to this one were given to rules, and are never given again.</param>
/// <param name="Outcome">What became of the last change that was decided.</param>
[GenerateSerializer, Immutable, Alias("type-state")]
public sealed record TypeState(
    string Name,
    TypeForm? Form,
    TypeProposal? Proposal,
    int LastField,
    TypeOutcome? Outcome,
    DateTimeOffset CreatedAt,
    string CreatedBy,
    PastMigrations Migrations
)
{
    /// <summary>The upper bound of types, as every node keeps all of them in memory.</summary>
    public const int MaxTypes = 1_000;

    /// <summary>The stream of a type, and the key of its grain. A name that nobody declared has one without events.</summary>
    public static Guid StreamOf(string name) => DerivedId.Of("type", name);

    public static TypeState Evolve(TypeState? state, Recorded<TypeEvent> recorded) =>
        recorded.Data switch
        {
            TypeChangeProposed e => (state ?? Undeclared(e.Name, recorded)) with
            {
                Proposal = new(
                    e.Change,
                    e.Kind,
                    e.Definition,
                    e.Fields,
                    recorded.Version,
                    recorded.Position,
                    recorded.At,
                    recorded.Actor,
                    e.Migration
                ),
                LastField = Last(state, e.Fields),
            },
            TypeMigrationBegun => state! with
            {
                Proposal = state.Proposal! with { Begun = recorded.Version, Position = recorded.Position },
                Migrations = state.Migrations.With(new(recorded.Version, state.Proposal.Migration!)),
            },
            TypeMigrationClosing => state! with
            {
                Proposal = state.Proposal! with { IsClosing = true, Position = recorded.Position },
            },
            TypeChanged e => (state ?? Undeclared(e.Name, recorded)) with
            {
                Form = new(e.Definition, recorded.Version, e.Fields, recorded.At, recorded.Actor),
                Proposal = null,
                LastField = Last(state, e.Fields),
                Outcome = OutcomeOf(recorded),
                CreatedAt = state?.Form is null ? recorded.At : state.CreatedAt,
                CreatedBy = state?.Form is null ? recorded.Actor : state.CreatedBy,
            },
            TypeChangeAbandoned => state! with { Proposal = null, Outcome = OutcomeOf(recorded) },
            TypeDeleted => state! with
            {
                Form = null,
                Proposal = null,
                Outcome = OutcomeOf(recorded),
                Migrations = state.Migrations.Until(recorded.Version),
            },
            _ => throw new UnreachableException($"No arm for {recorded.Data.GetType().Name}."),
        };

    /// <summary>What became of the change that an event decides; null where it decides none.</summary>
    public static TypeOutcome? OutcomeOf(Recorded<TypeEvent> recorded) =>
        recorded.Data switch
        {
            TypeChanged e => new(e.Change, recorded.Version, null, e.Checked, 0, e.Migrated),
            TypeChangeAbandoned e => new(e.Change, recorded.Version, e.Reason, e.Checked, e.Offending),
            TypeDeleted e => new(e.Change, recorded.Version, null, 0, 0),
            _ => null,
        };

    public static Decision<TypeEvent> Decide(TypeState? state, TypeCommand command, TypeContext context) =>
        (state, command) switch
        {
            (_, BeginTypeMigration c) => state?.Proposal is { Migration: not null, Begun: null } proposal
            && proposal.Change == c.Change
                ? [new TypeMigrationBegun(c.Change)]
                : [],
            (_, CloseTypeMigration c) => Close(state?.Proposal, c.Change),
            (_, CompleteTypeChange c) => state?.Proposal is { } proposal
            && proposal.Change == c.Change
            && (proposal.Migration is null || proposal.IsClosing)
                ? Complete(state, proposal, c)
                : [],
            (_, AbandonTypeChange c) => state?.Proposal is { Begun: null } proposal && proposal.Change == c.Change
                ? TypeNames.Freed(
                    state,
                    new TypeChangeAbandoned(c.Change, c.Reason, c.Checked, c.Offending, c.Offenders)
                )
                : [],
            ({ Proposal: null } or null, WithdrawTypeChange) => new Rejection(
                Refusal.NoTypeChange,
                "No change of this type is under way."
            ),
            ({ Proposal.Begun: not null }, WithdrawTypeChange) => new Rejection(
                Refusal.TypeChangePending,
                "The migration has begun: resources have the new form already. It ends with the change in force."
            ),
            (_, WithdrawTypeChange) => TypeNames.Freed(
                state!,
                new TypeChangeAbandoned(state!.Proposal!.Change, AbandonReason.Withdrawn, 0, 0, [])
            ),
            ({ Form: not null }, DeclareType) => Declared(),
            ({ Form: null } or null, not DeclareType) => Undeclared(),
            _ when !context.Intent.Conditions.Hold(context.Version) => Mismatch(context.Version),
            ({ Proposal: not null }, _) => new Rejection(
                Refusal.TypeChangePending,
                "A change of this type is being checked. Wait for its end, or abandon it.",
                Version: context.Version
            ),
            (_, DeclareType) when context.IsMixed => new Rejection(
                Refusal.ClusterMixed,
                "Nodes of the previous release are running, which know no types."
            ),
            (_, DeclareType) when context.Declared >= MaxTypes => new Rejection(
                Refusal.TooManyTypes,
                $"There may be at most {MaxTypes} types."
            ),
            (_, DeclareType c) => TypeChange.Decide(state, c.Name, c.Definition, context),
            (_, ReplaceType c) => TypeChange.Decide(state, state!.Name, c.Definition, context),
            (_, PatchType c) => TypeChange.Decide(state, state!.Name, Patched(state.Form!, c.Patch), context),
            (_, DeleteType) =>
            [
                new TypeChangeProposed(
                    state!.Name,
                    TypeChange.IdOf(state.Name, context.Intent),
                    ProposalKind.Deletion,
                    null,
                    []
                ),
            ],
            _ => throw new UnreachableException($"No decision for {command.GetType().Name}."),
        };

    /// <summary>The refusal of what is asked of a name that is free.</summary>
    public static Rejection Undeclared() => new(Refusal.TypeNotFound, "There is no such type.");

    /// <summary>The refusal of a declaration whose name is not free.</summary>
    public static Rejection Declared() => new(Refusal.AlreadyExists, "A type of this name is declared already.");

    /// <summary>The refusal of a change of another version.</summary>
    public static Rejection Mismatch(long version) =>
        new(Refusal.VersionMismatch, $"The type is at version {version}.", Version: version);

    /// <param name="change">The change that is meant; null for whatever there is.</param>
    static Decision<TypeEvent> Close(TypeProposal? proposal, Guid? change) =>
        proposal is not { Begun: not null } || proposal.Change != (change ?? proposal.Change)
            ? change is null
                ? new Rejection(Refusal.NoTypeChange, "No migration of this type is under way.")
                : []
            : proposal.IsClosing
                ? []
                : [new TypeMigrationClosing(proposal.Change)];

    static Decision<TypeEvent> Complete(TypeState state, TypeProposal proposal, CompleteTypeChange found) =>
        proposal.Definition is { } definition
            ? TypeNames.Moved(
                state,
                definition,
                new TypeChanged(state.Name, proposal.Change, definition, proposal.Fields, found.Checked, found.Migrated)
            )
            : TypeNames.Freed(state, new TypeDeleted(proposal.Change));

    static JsonText Patched(TypeForm form, JsonText patch) =>
        JsonText.From(JsonNodes.ToElement(MergePatch.Apply(form.Definition.ToElement(), patch.ToElement())));

    static TypeState Undeclared(string name, Recorded<TypeEvent> recorded) =>
        new(name, null, null, 0, null, recorded.At, recorded.Actor, PastMigrations.None);

    static int Last(TypeState? state, Dictionary<string, int> fields) =>
        Math.Max(state?.LastField ?? 0, fields.Count is 0 ? 0 : fields.Values.Max());
}
