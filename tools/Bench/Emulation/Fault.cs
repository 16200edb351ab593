namespace DeviceHub.Tools.Bench.Emulation;

/// <summary>What is wrong with an emulated terminal, so that the bench itself can be tested; README.md has the case that finds each.</summary>
internal enum Fault
{
    None,
    WrongCrc,
    NoAcknowledgement,
    AnswersLate,
    NeverRetransmits,
    StallsMidFrame,
    SameBootId,
    Floods,
    RepeatsProof,
    WrongProof,
    AcknowledgesBeforeStoring,
    WrongConfigurationHash,
    AnnouncesWrongMac,
    AnnouncesUnsealed,
    AcceptsOldKey,
    IgnoresExpiry,
    SameIdsAfterReboot,
    SameIdsAfterFactoryReset,
    ForgetsPayments,
}
